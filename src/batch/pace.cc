#include "batch/pace.h"

#include <algorithm>

namespace llmroute::batch {
namespace {

// A year is for ever, and far from the end of time.
constexpr double kLongest = 365 * 86400.0;

Pace::Duration share_of_minute(double amount, double per_minute) {
  const double seconds = 60 * amount / per_minute;
  return std::chrono::duration_cast<Pace::Duration>(
      std::chrono::duration<double>(std::clamp(seconds, -kLongest, kLongest)));
}

}  // namespace

Pace::Time Pace::ready() const {
  if (limits_.concurrency && running_ >= *limits_.concurrency) {
    return Time::max();
  }
  return std::max({held_until_, next_by_requests_, next_by_tokens_});
}

void Pace::start(int64_t tokens, Time now) {
  ++running_;
  if (limits_.requests_per_minute) {
    next_by_requests_ = std::max(next_by_requests_, now) +
                        share_of_minute(1, *limits_.requests_per_minute);
  }
  if (limits_.tokens_per_minute) {
    next_by_tokens_ = std::max(next_by_tokens_, now) +
                      share_of_minute(static_cast<double>(tokens),
                                      *limits_.tokens_per_minute);
  }
}

void Pace::end(int64_t tokens, std::optional<int64_t> actual) {
  --running_;
  if (!limits_.tokens_per_minute || !actual) return;
  next_by_tokens_ += share_of_minute(static_cast<double>(*actual - tokens),
                                     *limits_.tokens_per_minute);
}

void Pace::hold(Time until) { held_until_ = std::max(held_until_, until); }

void Pace::succeed() {
  retries_ = std::min(kRetryBudget, retries_ + kRetryReturn);
}

bool Pace::spend_retry(bool after_timeout) {
  if (retries_ < 1) return false;
  retries_ -= after_timeout ? 2 : 1;
  return true;
}

}  // namespace llmroute::batch
