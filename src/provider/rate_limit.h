// What a provider says is left of its limits, in the headers of any response:
//
//   OpenAI and compatible   x-ratelimit-remaining-requests, -reset-requests,
//   and
//                           the same with -tokens; reset: "6m0s", "20ms"
//   Anthropic               anthropic-ratelimit-requests-remaining, -reset, and
//                           the same with tokens, input-tokens, output-tokens;
//                           reset: an RFC 3339 time
//   others                  x-ratelimit-remaining, x-ratelimit-reset, and the
//                           same without x-; reset: seconds, or seconds or
//                           milliseconds since 1970
//
// Times are measured against the response's own Date. What cannot be read is
// as if it were not there.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "core/reply.h"
#include "provider/transport.h"

namespace llmroute::provider {

// `now` is used if the response carries no Date.
core::RateLimit read_rate_limit(const ResponseHead& head, base::Wall now);

// "2026-01-01T00:00:00Z", with a fraction or an offset if there is one.
std::optional<std::chrono::sys_time<std::chrono::milliseconds>> parse_rfc3339(
    std::string_view text);

}  // namespace llmroute::provider
