#include "provider/deadlines.h"

#include <algorithm>

namespace llmroute::provider {

std::optional<Timer> Deadlines::expired(Time now) const {
  if (now - start_ >= timeouts_.total) return Timer::kTotal;
  if (!content_ && now - start_ >= timeouts_.first_token) {
    return Timer::kFirstContent;
  }
  if (content_ && now - last_byte_ >= timeouts_.idle) return Timer::kIdle;
  return std::nullopt;
}

Deadlines::Duration Deadlines::left(Time now) const {
  const Time total = start_ + timeouts_.total;
  const Time other =
      content_ ? last_byte_ + timeouts_.idle : start_ + timeouts_.first_token;
  return std::max(std::min(total, other) - now, Duration::zero());
}

}  // namespace llmroute::provider
