// Error bodies of any shape: read, classified, valid UTF-8 in the message.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/utf8.h"
#include "provider/failure.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace provider = llmroute::provider;
  if (size == 0) return 0;
  constexpr int kStatuses[] = {200, 302, 400, 401, 402, 403, 404,
                               413, 422, 429, 500, 503, 529};
  const int status = kStatuses[data[0] % std::size(kStatuses)];
  const std::string_view body(reinterpret_cast<const char*>(data + 1),
                              size - 1);
  const auto failure = provider::failure_of_status({status, {}}, body, {});
  const auto error = provider::read_error_body(body);
  const auto inner = provider::failure_of_error({200, {}}, error, {});
  (void)provider::refused_parameter(error);
  const bool positive =
      !failure.retry_after || failure.retry_after->count() > 0;
  if (!positive || failure.cause.empty() || inner.cause.empty() ||
      llmroute::base::find_invalid_utf8(failure.message)) {
    std::abort();
  }
  return 0;
}
