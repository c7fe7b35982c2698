// Time behind an interface, so that tests can move it. Timers use the monotonic
// clock, records the wall clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace llmroute::base {

class Clock {
 public:
  using Monotonic = std::chrono::steady_clock::time_point;
  using Wall = std::chrono::system_clock::time_point;
  virtual ~Clock() = default;
  virtual Monotonic now() const = 0;
  virtual Wall wall() const = 0;
};

class SystemClock : public Clock {
 public:
  Monotonic now() const override { return std::chrono::steady_clock::now(); }
  Wall wall() const override { return std::chrono::system_clock::now(); }
};

class ManualClock : public Clock {
 public:
  Monotonic now() const override { return now_; }
  Wall wall() const override { return wall_; }
  void tick(std::chrono::milliseconds by) {
    now_ += by;
    wall_ += by;
  }

 private:
  Monotonic now_{};
  Wall wall_{};
};

// Wall time, ms since 1970.
int64_t wall_ms();

// "2026-09-18T10:00:00Z" (RFC 3339, UTC).
std::string format_utc(Clock::Wall time);

// A 26-character ULID: 48 bits of milliseconds, 80 random bits, Crockford base
// 32; sorts by time. Source: github.com/ulid/spec.
std::string make_ulid(Clock::Wall time);

}  // namespace llmroute::base
