#include "provider/text_joiner.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/utf8.h"

namespace llmroute::provider {
namespace {

constexpr const char* kHigh = "\xED\xA0\xBD";  // d83d
constexpr const char* kLow = "\xED\xBA\x80";   // de80
constexpr const char* kRocket = "\xF0\x9F\x9A\x80";
constexpr const char* kReplacement = "\xEF\xBF\xBD";

std::string join(const std::vector<std::string>& pieces) {
  TextJoiner joiner;
  std::string text;
  for (const std::string& piece : pieces) text += joiner.add(piece);
  return text + joiner.finish();
}

TEST_CASE("halves of a pair are joined, halves alone are replaced") {
  const std::string high = kHigh, low = kLow, rocket = kRocket,
                    replacement = kReplacement;
  struct Case {
    std::vector<std::string> pieces;
    std::string text;
  };
  for (const Case& c : std::vector<Case>{
           {{"a", "b"}, "ab"},
           {{"a" + high, low + "b"}, "a" + rocket + "b"},
           {{high, "", low}, rocket},
           {{high + low}, rocket},
           {{high, "x"}, replacement + "x"},
           {{high}, replacement},
           {{low}, replacement},
           {{low, high}, replacement + replacement},
           {{high + high + low}, replacement + rocket},
           {{high, high, low, low}, replacement + rocket + replacement},
           {{"\xED\x95\x9C\xEA\xB5\xAD"}, "\xED\x95\x9C\xEA\xB5\xAD"},
           {{"\xED\x9F\xBF"}, "\xED\x9F\xBF"}}) {
    CAPTURE(c.text);
    const std::string text = join(c.pieces);
    CHECK(text == c.text);
    CHECK_FALSE(base::find_invalid_utf8(text).has_value());
  }
}

TEST_CASE("a repair is told") {
  TextJoiner joiner;
  joiner.add(kHigh);
  joiner.add(kLow);
  CHECK_FALSE(joiner.repaired());
  joiner.add(kLow);
  CHECK(joiner.repaired());
}

}  // namespace
}  // namespace llmroute::provider
