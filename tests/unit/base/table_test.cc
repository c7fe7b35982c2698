#include "base/table.h"

#include <doctest/doctest.h>

namespace llmroute::base {

TEST_CASE("a line is broken at blanks, under its text") {
  struct Case {
    const char* line;
    size_t columns, indent;
    const char* out;
  };
  for (const Case& c : std::vector<Case>{
           {"short", 10, 2, "short"},
           {"", 10, 2, ""},
           {"one two three four", 10, 2, "one two\n  three\n  four"},
           {"exactly ten", 11, 2, "exactly ten"},
           {"exactly ten", 10, 2, "exactly\n  ten"},
           {"label   one two   three", 15, 8, "label   one two\n        three"},
           // Nowhere within a word, nor between the label and its text.
           {"label   onewordthatisverylong and more", 12, 8,
            "label   onewordthatisverylong\n        and\n        more"},
           {"unbreakable", 4, 2, "unbreakable"},
           {"label   unbreakable", 4, 8, "label   unbreakable"},
           {"a \xe4\xb8\xad\xe6\x96\x87 b", 6, 0,
            "a \xe4\xb8\xad\xe6\x96\x87\nb"},
           {"trailing   ", 9, 2, "trailing   "},
       }) {
    CAPTURE(c.line);
    CHECK(wrapped(c.line, c.columns, c.indent) == c.out);
  }
}

TEST_CASE("a table leaves out columns until it is narrow enough") {
  const auto make = [] {
    Table table("llr");
    table.add_row({"NAME", "NOTE", "N"});
    table.add_row({"a", "some text", "12"});
    return table;
  };
  const std::vector<std::string> order = {"OTHER", "NOTE", "NAME"};
  Table table = make();
  CHECK(table.width() == 19);
  CHECK(table.narrow(19, order).empty());
  CHECK(table.render() == "NAME  NOTE        N\na     some text  12\n");
  CHECK(table.narrow(18, order) == std::vector<std::string>{"NOTE"});
  CHECK(table.render() == "NAME   N\na     12\n");
  table = make();
  CHECK(table.narrow(1, order) == std::vector<std::string>{"NOTE", "NAME"});
  CHECK(table.render() == " N\n12\n");
}

}  // namespace llmroute::base
