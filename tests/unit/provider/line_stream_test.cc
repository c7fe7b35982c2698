#include "provider/line_stream.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace llmroute::provider {
namespace {

std::vector<std::string> lines_of(const std::vector<std::string>& chunks) {
  std::vector<std::string> lines;
  const auto keep = [&lines](std::string_view line, bool unterminated) {
    lines.push_back(std::string(line) + (unterminated ? "!" : ""));
    return true;
  };
  LineStream stream;
  for (const std::string& chunk : chunks) {
    REQUIRE(stream.feed(chunk, keep) == Fed::kMore);
  }
  REQUIRE(stream.finish(keep) == Fed::kMore);
  return lines;
}

TEST_CASE("lines do not depend on how the bytes are cut") {
  struct Case {
    std::string text;
    std::vector<std::string> lines;
  };
  const std::vector<Case> cases = {
      {"{}\n{\"a\":1}\n", {"{}", "{\"a\":1}"}},
      {"{}\r\n\r\n  \n{}\n", {"{}", "{}"}},
      {"{}\n{\"tor", {"{}", "{\"tor!"}},
      {"{}", {"{}!"}},
      {"\n\n", {}},
      {"", {}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK(lines_of({c.text}) == c.lines);
    for (size_t cut = 0; cut <= c.text.size(); ++cut) {
      CAPTURE(cut);
      CHECK(lines_of({c.text.substr(0, cut), c.text.substr(cut)}) == c.lines);
    }
  }
}

TEST_CASE("a line over 8 MiB is refused") {
  const auto ignore = [](std::string_view, bool) { return true; };
  LineStream stream;
  const std::string half(kMaxEventBytes / 2 + 1, 'x');
  CHECK(stream.feed(half, ignore) == Fed::kMore);
  CHECK(stream.feed(half, ignore) == Fed::kTooLarge);
}

TEST_CASE("a handler that says stop is not asked again") {
  int count = 0;
  const auto once = [&count](std::string_view, bool) { return ++count > 1; };
  LineStream stream;
  CHECK(stream.feed("a\nb\n", once) == Fed::kStopped);
  CHECK(stream.finish(once) == Fed::kStopped);
  CHECK(count == 1);
}

}  // namespace
}  // namespace llmroute::provider
