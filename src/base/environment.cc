#include "base/environment.h"

#include <cstdlib>

namespace llmroute::base {

std::optional<std::string> ProcessEnvironment::get(
    const std::string& name) const {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

std::optional<std::string> FakeEnvironment::get(const std::string& name) const {
  const auto found = values.find(name);
  if (found == values.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

}  // namespace llmroute::base
