// Small text helpers: numbers in the C locale, durations, globs, nearest names.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace llmroute::base {

// Whole-string numbers, locale-free. Nothing for anything else, NaN and
// infinity included.
std::optional<double> parse_double(std::string_view text);
std::optional<int64_t> parse_int(std::string_view text);

// "250ms", "30s", "2m", "1h", "1.5s"; a bare number is seconds. Not negative,
// at most a year.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// Shell-style pattern: `*` any run, `?` one byte; everything else is itself.
// The whole text must match.
bool glob_match(std::string_view pattern, std::string_view text);

// The candidate closest to `name` by edit distance, if close enough to be a
// likely typo.
std::optional<std::string> nearest_name(
    std::string_view name, std::span<const std::string> candidates);

std::string_view trim(std::string_view text);
std::vector<std::string> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts,
                 std::string_view separator);
// "a, b and 3 more": at most `most` of them are named.
std::string first_few(std::span<const std::string> names, size_t most);
std::string to_lower_ascii(std::string_view text);

// "1234567" -> "1,234,567".
std::string with_thousands(int64_t number);

}  // namespace llmroute::base
