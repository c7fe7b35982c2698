#include "provider/request_headers.h"

#include <algorithm>

#include "base/text.h"

namespace llmroute::provider {
namespace {

void set_header(HttpRequest& request, const std::string& name,
                const std::string& value) {
  const std::string lower = base::to_lower_ascii(name);
  const auto found = std::find_if(
      request.headers.begin(), request.headers.end(), [&](const auto& header) {
        return base::to_lower_ascii(header.first) == lower;
      });
  if (found != request.headers.end()) {
    found->second = value;
  } else {
    request.headers.emplace_back(name, value);
  }
}

}  // namespace

void add_key(const Call& call, std::string_view usual, HttpRequest& request) {
  if (call.key.empty()) return;
  const std::string name = call.provider.key_header.empty()
                               ? std::string(usual)
                               : call.provider.key_header;
  const bool bearer = base::to_lower_ascii(name) == "authorization";
  request.headers.emplace_back(name, bearer ? "Bearer " + call.key : call.key);
}

HttpRequest with_common_headers(const Call& call, HttpRequest request) {
  if (request.method == "POST") {
    set_header(request, "Content-Type", "application/json");
  }
  set_header(
      request, "Accept",
      call.stream ? "text/event-stream, application/json" : "application/json");
  for (const auto& [name, value] : call.provider.headers) {
    set_header(request, name, value);
  }
  request.timeouts = call.timeouts;
  request.ca_file = call.provider.ca_file;
  request.cancel = call.cancel;
  return request;
}

}  // namespace llmroute::provider
