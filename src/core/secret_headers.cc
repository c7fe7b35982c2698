#include "core/secret_headers.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace llmroute::core {

bool is_secret_header(std::string_view name) {
  constexpr std::array<std::string_view, 6> kSecret = {
      "authorization", "proxy-authorization", "x-api-key",
      "api-key",       "x-goog-api-key",      "cookie"};
  const std::string lower = base::to_lower_ascii(name);
  return std::find(kSecret.begin(), kSecret.end(), lower) != kSecret.end();
}

std::vector<std::string> header_secrets(const Provider& provider) {
  std::vector<std::string> secrets;
  for (const auto& [name, value] : provider.headers) {
    if (!is_secret_header(name)) continue;
    secrets.push_back(value);
    const size_t blank = value.rfind(' ');
    if (blank != std::string::npos) secrets.push_back(value.substr(blank + 1));
  }
  return secrets;
}

}  // namespace llmroute::core
