// Hints about when to come back: whatever is read is positive and bounded.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "provider/retry_hint.h"

namespace {

void check(std::optional<std::chrono::milliseconds> hint) {
  if (hint && (hint->count() <= 0 || *hint > std::chrono::hours(366 * 24))) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace provider = llmroute::provider;
  const std::string text(reinterpret_cast<const char*>(data), size);
  check(provider::retry_hint_in_text(text));
  check(provider::retry_hint_in_text("try again in " + text));
  check(provider::parse_retry_delay(text));
  (void)provider::parse_http_date(text);
  for (const char* name : {"retry-after", "retry-after-ms"}) {
    check(provider::retry_hint_in_headers(
        {429, {{name, text}, {"date", "Thu, 01 Jan 2026 10:00:00 GMT"}}}, {}));
  }
  return 0;
}
