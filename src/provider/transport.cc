#include "provider/transport.h"

namespace llmroute::provider {

std::optional<std::string_view> ResponseHead::find(
    std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return std::nullopt;
}

}  // namespace llmroute::provider
