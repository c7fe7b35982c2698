#include "base/utf8.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace llmroute::base {
namespace {

constexpr const char* kReplacement = "\xEF\xBF\xBD";

}  // namespace

TEST_CASE("the first invalid byte is found") {
  CHECK(!find_invalid_utf8("plain"));
  CHECK(!find_invalid_utf8("gr\xC3\xBC\xC3\x9F \xE4\xB8\xAD \xF0\x9F\x9A\x80"));
  CHECK(find_invalid_utf8("ab\xFF") == 2);
  CHECK(find_invalid_utf8("\xC0\xAF") == 0);           // overlong
  CHECK(find_invalid_utf8("\xED\xA0\x80") == 0);       // surrogate
  CHECK(find_invalid_utf8("x\xF4\x90\x80\x80") == 1);  // above U+10FFFF
  CHECK(find_invalid_utf8("12345678\xE2\x82") == 8);   // cut at the end
}

TEST_CASE("every maximal subpart becomes one U+FFFD") {
  // Unicode 15, table 3-8 shows this very sequence.
  const std::string bad =
      "a\xF1\x80\x80\xE1\x80\xC2"
      "b\x80"
      "c\x80\xBF"
      "d";
  const std::string r = kReplacement;
  CHECK(replace_invalid_utf8(bad) ==
        "a" + r + r + r + "b" + r + "c" + r + r + "d");
}

TEST_CASE("repair does not depend on how the text is cut") {
  std::mt19937 random(20260801);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (int i = 0; i < 24; ++i) {
      constexpr char kBytes[] =
          "a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x9A\x80\xFF\xED\xA0";
      text += kBytes[random() % (sizeof kBytes - 1)];
    }
    Utf8Repairer repairer;
    std::string pieces;
    for (size_t at = 0; at < text.size();) {
      const size_t size = 1 + random() % 4;
      pieces += repairer.feed(std::string_view(text).substr(at, size));
      at += size;
    }
    pieces += repairer.finish();
    INFO("seed 20260801, round " << round);
    REQUIRE(pieces == replace_invalid_utf8(text));
    REQUIRE(!find_invalid_utf8(pieces));
  }
}

TEST_CASE("code points go out and come back") {
  for (const char32_t c : {U'a', U'\u00FC', U'\u20AC', U'\U0001F680'}) {
    std::string text;
    append_utf8(text, c);
    size_t at = 0;
    CHECK(next_code_point(text, at) == c);
    CHECK(at == text.size());
  }
}

}  // namespace llmroute::base
