// Days of the UTC calendar as text, "2026-11-28".
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace llmroute::base {

// Nothing for anything that is not a day of the years 1970 to 9999.
std::optional<std::chrono::sys_days> parse_day(std::string_view text);

std::string format_day(std::chrono::sys_days day);

// A day, or "7d": the first of the last seven, `today` among them.
std::optional<std::chrono::sys_days> parse_since(std::string_view text,
                                                 std::chrono::sys_days today);

// So many milliseconds after 1970. The clock ends in 2262: what is later is its
// last moment.
std::chrono::system_clock::time_point moment_of(int64_t ms);

}  // namespace llmroute::base
