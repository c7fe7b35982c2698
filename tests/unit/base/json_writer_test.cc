#include "base/json_writer.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>

namespace llmroute::base {

TEST_CASE("objects, arrays and commas nest") {
  JsonWriter json;
  json.begin_object().field("a", 1).key("b").begin_array().value(true).null();
  json.begin_object().end_object().end_array().field("c", "x").end_object();
  CHECK(json.text() == R"({"a":1,"b":[true,null,{}],"c":"x"})");
}

TEST_CASE("strings are escaped and repaired") {
  std::string out;
  append_json_string(out, std::string_view("q\"\\\n\t\x01\0\x7F\xFF", 9));
  CHECK(out == "\"q\\\"\\\\\\n\\t\\u0001\\u0000\\u007f\xEF\xBF\xBD\"");
}

TEST_CASE("a byte is escaped, or not, wherever it stands in a string") {
  for (int c = 0; c < 0x80; ++c) {
    const bool escaped = c < 0x20 || c == '"' || c == '\\' || c == 0x7F;
    for (size_t before = 0; before < 20; ++before) {
      const std::string text =
          std::string(before, 'x') + static_cast<char>(c) + "\xC3\xA9 behind";
      std::string out;
      append_json_string(out, text);
      CAPTURE(c);
      CAPTURE(before);
      CHECK((out == '"' + text + '"') == !escaped);
      CHECK(out.substr(0, before + 1) == '"' + std::string(before, 'x'));
      CHECK(out.ends_with("\xC3\xA9 behind\""));
    }
  }
}

TEST_CASE("numbers read back the same; what JSON cannot hold is null") {
  JsonWriter json;
  json.begin_array().value(0.1).value(1e300).value(-3).value(
      std::numeric_limits<double>::infinity());
  json.value(std::optional<int>()).value(std::optional<int>(7)).end_array();
  CHECK(json.text() == "[0.1,1e+300,-3,null,null,7]");
}

TEST_CASE("vectors are arrays, and so are lists of what a function writes") {
  JsonWriter json;
  json.begin_object().field("a", std::vector<std::string>{"x", "y"});
  json.field("b", std::vector<std::vector<int>>{{1, 2}, {}});
  const auto write = [](JsonWriter& to, int n) {
    to.begin_object().field("n", n).end_object();
  };
  json.list("c", std::vector<int>{1, 2}, write).end_object();
  CHECK(json.text() ==
        R"({"a":["x","y"],"b":[[1,2],[]],"c":[{"n":1},{"n":2}]})");
}

TEST_CASE("an empty text can be null") {
  JsonWriter json;
  json.begin_object().text_or_null("a", "").text_or_null("b", "x").end_object();
  CHECK(json.text() == R"({"a":null,"b":"x"})");
}

}  // namespace llmroute::base
