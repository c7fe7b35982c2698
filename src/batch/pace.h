// How fast a provider may be asked: requests and tokens a minute, requests at a
// time, holds that it asked for, and a budget of retries. Pure: time comes from
// the caller.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace llmroute::batch {

struct PaceLimits {
  std::optional<int64_t> concurrency;  // requests at a time
  std::optional<double> requests_per_minute;
  std::optional<double> tokens_per_minute;
};

class Pace {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Duration = Time::duration;

  // A retry costs 1, after a time-out 2; a success gives back 0.1.
  static constexpr double kRetryBudget = 20;
  static constexpr double kRetryReturn = 0.1;

  explicit Pace(PaceLimits limits) : limits_(limits) {}

  // When the next request may start: not after `now` if at once, Time::max() if
  // not before another has ended.
  Time ready() const;
  // `tokens`: an estimate of input and answer; requests are spaced so that the
  // limits hold over any minute.
  void start(int64_t tokens, Time now);
  // One has ended that was started with that estimate; `actual`: its tokens, if
  // known.
  void end(int64_t tokens, std::optional<int64_t> actual);
  // Nothing starts before `until`; the later of several holds.
  void hold(Time until);
  Time held_until() const { return held_until_; }

  void succeed();
  // Takes the price of a retry from the budget. False: there is none left, and
  // the provider should be held instead.
  bool spend_retry(bool after_timeout);

 private:
  PaceLimits limits_;
  int running_ = 0;
  // By the limits alone, the next may start then: each request moves it by what
  // it takes of a minute.
  Time next_by_requests_{}, next_by_tokens_{};
  Time held_until_{};
  double retries_ = kRetryBudget;
};

}  // namespace llmroute::batch
