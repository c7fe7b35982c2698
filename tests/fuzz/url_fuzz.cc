// Base URLs: what is accepted prints as a URL that is accepted and means the
// same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/url.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto url =
      llmroute::base::parse_url({reinterpret_cast<const char*>(data), size});
  if (!url) return 0;
  const auto again = llmroute::base::parse_url(url->text());
  const bool same = again && again->scheme == url->scheme &&
                    again->host == url->host && again->port == url->port &&
                    again->path == url->path;
  if (!same || url->host.empty() || url->port == 0) std::abort();
  return 0;
}
