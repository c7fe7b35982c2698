// What time it is. Timers use the monotonic clock, records the wall clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace llmroute::base {

using Monotonic = std::chrono::steady_clock::time_point;
using Wall = std::chrono::system_clock::time_point;

inline Monotonic now() { return std::chrono::steady_clock::now(); }
inline Wall wall_now() { return std::chrono::system_clock::now(); }

// Wall time, ms since 1970.
int64_t wall_ms();

// "2026-09-18T10:00:00Z" (RFC 3339, UTC).
std::string format_utc(Wall time);

// A 26-character ULID: 48 bits of milliseconds, 80 random bits, Crockford base
// 32; sorts by time. Source: github.com/ulid/spec.
std::string make_ulid(Wall time);

}  // namespace llmroute::base
