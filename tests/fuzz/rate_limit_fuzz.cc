// Rate-limit headers: a wait is never negative and never longer than times that
// can be counted, whatever the headers hold.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "provider/rate_limit.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace provider = llmroute::provider;
  const std::string text(reinterpret_cast<const char*>(data), size);
  (void)provider::parse_rfc3339(text);
  for (const char* names : {"x-ratelimit-remaining-requests",
                            "anthropic-ratelimit-tokens-remaining"}) {
    const auto limit =
        provider::read_rate_limit({200,
                                   {{names, "0"},
                                    {"x-ratelimit-reset-requests", text},
                                    {"anthropic-ratelimit-tokens-reset", text},
                                    {"x-ratelimit-remaining-tokens", text},
                                    {"date", text}}},
                                  {});
    if (limit.wait.count() < 0 ||
        limit.wait > std::chrono::hours(24 * 366 * 40'000)) {
      std::abort();
    }
    if (limit.requests.value_or(0) < 0 || limit.tokens.value_or(0) < 0) {
      std::abort();
    }
  }
  return 0;
}
