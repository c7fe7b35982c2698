// The timers of one call: total, first content, idle. Pure arithmetic on time
// points, so that tests need not wait.
//
// Until content comes, only the first-content timer and the total run; from
// then on silence is measured, and any byte ends it. Time blocked by
// ourselves (a slow reader of stdout) counts for none of them.
#pragma once

#include <chrono>
#include <optional>

#include "base/clock.h"
#include "provider/call.h"

namespace llmroute::provider {

enum class Timer { kFirstContent, kIdle, kTotal };

class Deadlines {
 public:
  using Time = base::Monotonic;
  using Duration = base::Monotonic::duration;

  Deadlines(const Timeouts& timeouts, Time now)
      : timeouts_(timeouts), start_(now), last_byte_(now) {}

  void on_bytes(Time now) { last_byte_ = now; }
  void on_content() { content_ = true; }
  // All timers stood still for so long.
  void exclude(Duration blocked) {
    start_ += blocked;
    last_byte_ += blocked;
  }

  // The timer that has run out; nothing: none.
  std::optional<Timer> expired(Time now) const;
  // Until the next one would. Not negative.
  Duration left(Time now) const;

 private:
  Timeouts timeouts_;
  Time start_;
  Time last_byte_;
  bool content_ = false;
};

}  // namespace llmroute::provider
