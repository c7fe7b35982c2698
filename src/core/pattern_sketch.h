// A first look at a regular expression in RE2's syntax, many times cheaper
// than to compile it: of most it tells that RE2 accepts them, and what a text
// must hold to be worth a second look. What it does not know it does not judge:
// counted repetitions of groups, classes with names, flags inside, anything
// odd.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llmroute::core {

struct PatternSketch {
  // folded_case() of every text in which the pattern is found holds one of
  // these, each of which is folded too and has kLeastLiteral bytes or more.
  // Empty: any text may do.
  std::vector<std::string> literals;
};
constexpr size_t kLeastLiteral = 3;

// Nothing: ask RE2. Else RE2 accepts the pattern, and its program is small.
std::optional<PatternSketch> sketch_pattern(std::string_view pattern);

// With small letters for A to Z and for the other two that (?i) takes for one
// of these: U+017F, a long s, and U+212A, the sign for kelvin.
std::string folded_case(std::string_view text);

}  // namespace llmroute::core
