// A circuit breaker: a model that keeps failing is left alone for a while, then
// asked once; the answer to that probe decides. Pure: time and chance come from
// the caller. The numbers: docs/reliability.md.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace llmroute::core {

class Breaker {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class State { kClosed, kOpen, kHalfOpen };

  static constexpr int kConsecutive = 5;  // failures in a row that open it
  static constexpr int kFewest = 10;      // calls in kWindow of which half fail
  static constexpr std::chrono::seconds kWindow{60};
  static constexpr std::chrono::seconds kFirstPause{5};
  static constexpr std::chrono::seconds kLongestPause{300};
  static constexpr int kForgetAfter = 5;  // successes in a row end the doubling

  // Open until its pause is over; then half-open, where one call may be made.
  State state(Time now) const;
  // Whether a call may be made now; a probe counts from start() on.
  bool allows(Time now) const {
    const State now_is = state(now);
    return now_is == State::kClosed ||
           (now_is == State::kHalfOpen && !probing_);
  }
  // A probe is under way: its end is what changes anything.
  bool probing() const { return probing_; }
  // When allows() may turn true without anything being told.
  Time until() const { return until_; }

  // A call that allows() permitted is made. True: it is the probe.
  bool start(Time now) {
    probing_ = state(now) == State::kHalfOpen;
    return probing_;
  }
  // How a call ended; `probe`: what start() said of it. Until it is closed only
  // the probe decides: other calls that end then began before it opened.
  void succeed(Time now, bool probe);
  // `random` in [0, 1): spreads the pause by a factor of 0.8 to 1.2. True: it
  // has opened.
  bool fail(Time now, bool probe, double random);
  // It ended in a way that says nothing of the model.
  void forget(bool probe) { probing_ = probing_ && !probe; }

  // Its memory as text, so that processes can share it; without the probe,
  // which is the process's own. Then Time counts from a moment that is the same
  // for all of them.
  std::string pack() const;
  // Nothing: not from pack(). Open for longer than any pause after `now` is
  // closed: a clock was wrong.
  static std::optional<Breaker> unpack(std::string_view text, Time now);

 private:
  struct Slice {  // of kWindow
    int64_t number = -1;
    int ok = 0, failed = 0;
  };
  Slice& slice(Time now);
  bool half_failed(Time now) const;

  std::array<Slice, 6> slices_{};
  bool open_ = false;
  bool probing_ = false;
  int failures_in_a_row_ = 0;
  int successes_in_a_row_ = 0;
  int openings_ = 0;  // since the doubling began
  Time until_{};
};

}  // namespace llmroute::core
