// How long a provider asks to be left alone. Sources, first valid one wins:
// `retry-after-ms` and `x-ms-retry-after-ms`; `Retry-After` as seconds
// (decimals allowed) or as an HTTP date, measured against the response's own
// Date; a delay in the error body. Zero, negative and unreadable values are
// ignored. Formats: RFC 9110 (5.6.7 and 10.2.3), google.rpc.RetryInfo, and the
// words of OpenAI, Azure and Gemini.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "provider/transport.h"

namespace llmroute::provider {

// From headers alone. `now` is used if the response carries no Date.
std::optional<std::chrono::milliseconds> retry_hint_in_headers(
    const ResponseHead& head, base::Wall now);

// From words: "try again in 5.2s", "Please retry in 1m2.5s", "retry after 6
// seconds".
std::optional<std::chrono::milliseconds> retry_hint_in_text(
    std::string_view message);

// "34.07s", "900ms", "1h2m3s", "6 seconds"; a bare number is seconds. The text
// may go on after it.
std::optional<std::chrono::milliseconds> parse_retry_delay(
    std::string_view text);

// "Sun, 06 Nov 1994 08:49:37 GMT" and the two obsolete forms.
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text);

}  // namespace llmroute::provider
