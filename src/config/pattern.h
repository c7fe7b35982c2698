// Regular expressions of rules, checked at load.
#pragma once

#include <optional>
#include <string>

namespace llmroute::config {

// Why RE2 refuses the pattern (its program may take 8 MiB); nothing if it is
// fine.
std::optional<std::string> pattern_error(const std::string& pattern);

}  // namespace llmroute::config
