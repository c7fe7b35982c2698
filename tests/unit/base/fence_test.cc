#include "base/fence.h"

#include <doctest/doctest.h>

namespace llmroute::base {
namespace {

std::string block(std::string_view text, size_t piece) {
  FenceFilter filter;
  std::string out;
  for (size_t at = 0; at < text.size(); at += piece) {
    out += filter.feed(text.substr(at, piece));
  }
  return out + filter.finish() + (filter.found() ? "" : "(none)");
}

TEST_CASE("the first fenced block comes out, however the text is cut") {
  struct Case {
    std::string_view text, expected;
  };
  const Case cases[] = {
      {"Sure:\n```sh\nls -l\n```\nand\n```\nno\n```\n", "ls -l\n"},
      {"~~~\na\n```\nb\n~~~\n", "a\n```\nb\n"},
      {"````\n```\nx\n```\n````\n", "```\nx\n```\n"},
      {"  ```\n   indented\n  x\ny\n  ```\n", " indented\nx\ny\n"},
      {"```\nnever closed", "never closed"},
      {"```\nlast line\n```", "last line\n"},
      {"```\r\na\r\n```  \r\nb\n", "a\r\n"},
      {"```\n\n\n```\n", "\n\n"},
      {"```\n```\n", ""},
      {"```py\nx = '```'\n```\n", "x = '```'\n"},
      {"```inline``` code\n", "(none)"},
      {"    ```\n    an indented block\n", "(none)"},
      {"``\nnot a fence\n``\n", "(none)"},
      {"no block", "(none)"},
      {"", "(none)"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.text);
    for (size_t piece = 1; piece <= one.text.size() + 1; ++piece) {
      CAPTURE(piece);
      CHECK(block(one.text, piece) == one.expected);
    }
  }
}

}  // namespace
}  // namespace llmroute::base
