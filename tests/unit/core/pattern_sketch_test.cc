#include "core/pattern_sketch.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "core/text_pattern.h"
#include "random_patterns.h"

namespace llmroute::core {
namespace {

using Literals = std::vector<std::string>;

TEST_CASE("a sketch names what a text must hold") {
  const struct {
    const char* pattern;
    Literals literals;
  } cases[] = {
      {"invoice", {"invoice"}},
      {"(?i)\\bInVoice\\b", {"invoice"}},
      {"foo.*barbaz", {"barbaz"}},
      {"abc+d", {"abc"}},
      {"abcd?ef", {"abc"}},
      {"(?:foo|barbaz)", {"foo", "barbaz"}},
      {"contract|payroll", {"contract", "payroll"}},
      {"x(invoice|bill)y", {"invoice", "bill"}},
      {"(invoice)?", {}},
      {"abcd{2,}ef", {"abcd"}},
      {"[A-Z]{2}-123", {"-123"}},
      {"abc{0,1}ef", {}},
      {"foo|ba", {}},
      {"ab", {}},
      {"\\d+", {}},
      {"", {}},
      {"c\\+\\+", {"c++"}},
      {"[abc]def[^g]", {"def"}},
      {"\xC5\xBFong", {"song"}},
      {"(?i)caf\xC3\xA9 bar", {" bar"}},
  };
  for (const auto& c : cases) {
    CAPTURE(c.pattern);
    const auto sketch = sketch_pattern(c.pattern);
    REQUIRE(sketch);
    CHECK(sketch->literals == c.literals);
  }
}

TEST_CASE("of what it does not know a sketch says nothing") {
  for (const std::string pattern :
       {"(",        ")",           "a)",    "*",       "a**", "(a){2}",
        "a{101}",   "a{3,2}",      "a{,2}", "a{2}{2}", "a{2", "a{-1}",
        "a{1,x}",   "{2}",         "a{2}*", "a{2000}", "[",   "[]",
        "[b-a]",    "[[:alpha:]]", "\\pL",  "\\Qa",    "\\1", "\\",
        "(?P<x>a)", "(?i:a)",      "\\Z",   "(?i",     "(?",  "^*",
        "\xFF",     "a]"}) {
    CAPTURE(pattern);
    CHECK(!sketch_pattern(pattern));
  }
  CHECK(!sketch_pattern(std::string(4001, 'a')));
  CHECK(!sketch_pattern(std::string(60, '(') + std::string(60, ')')));
}

TEST_CASE(
    "what a sketch vouches for RE2 accepts, and its literals are needed") {
  constexpr unsigned kSeed = 5;
  CAPTURE(kSeed);
  std::mt19937 random(kSeed);
  size_t sketched = 0, needed = 0, found = 0;
  for (int turn = 0; turn < 60'000; ++turn) {
    const std::string pattern = random_pattern(random);
    const auto sketch = sketch_pattern(pattern);
    if (!sketch) continue;
    ++sketched;
    CAPTURE(pattern);
    const auto compiled = TextPattern::compile(pattern);
    REQUIRE(compiled);
    if (sketch->literals.empty()) continue;
    ++needed;
    for (int i = 0; i < 20; ++i) {
      const std::string text = random_text(random);
      if (!compiled->matches_part_of(text)) continue;
      ++found;
      const std::string folded = folded_case(text);
      CAPTURE(text);
      REQUIRE(std::any_of(sketch->literals.begin(), sketch->literals.end(),
                          [&](const std::string& literal) {
                            return folded.find(literal) != std::string::npos;
                          }));
    }
  }
  CHECK(sketched > 5'000);
  CHECK(needed > 1'000);
  CHECK(found > 500);
}

std::string code_points(char32_t from, char32_t to) {
  std::string text;
  for (char32_t c = from; c < to; ++c) {
    if (c < 0xD800 || c > 0xDFFF) base::append_utf8(text, c);
  }
  return text;
}

TEST_CASE("folding takes together what (?i) does, of all of Unicode") {
  constexpr char32_t kBlock = 256;
  for (char letter = 'a'; letter <= 'z'; ++letter) {
    CAPTURE(letter);
    const auto pattern = TextPattern::compile(std::string("(?i)") + letter);
    REQUIRE(pattern);
    int hits = 0;
    for (char32_t block = 0; block <= 0x10FFFF; block += kBlock) {
      if (!pattern->matches_part_of(code_points(block, block + kBlock))) {
        continue;
      }
      for (char32_t c = block; c < block + kBlock; ++c) {
        const std::string one = code_points(c, c + 1);
        if (!pattern->matches_part_of(one)) continue;
        CHECK(folded_case(one) == std::string(1, letter));
        ++hits;
      }
    }
    CHECK(hits == (letter == 'k' || letter == 's' ? 3 : 2));
  }
}

TEST_CASE("every punctuation that is escaped, every longest pattern compiles") {
  for (int c = 1; c < 256; ++c) {
    const std::string pattern = {'\\', static_cast<char>(c)};
    CAPTURE(pattern);
    if (sketch_pattern(pattern)) CHECK(TextPattern::compile(pattern));
    const std::string set = "[" + pattern + "]";
    if (sketch_pattern(set)) CHECK(TextPattern::compile(set));
  }
  for (const std::string flags : {"", "(?i)"}) {
    for (const std::string piece :
         {".", "\\W", "[^a]", "s", "\xC3\xA9", "(.)", "[k-s]", "(a|s|)", "s?",
          "(s*?)*", "(.+)+", "[^\xE2\x84\xAA]", "\\S*", "\\W{100}"}) {
      CAPTURE(piece);
      std::string pattern = flags;
      while (sketch_pattern(pattern + piece)) pattern += piece;
      CHECK(pattern.size() > 200);
      CHECK(TextPattern::compile(pattern));
    }
  }
}

}  // namespace
}  // namespace llmroute::core
