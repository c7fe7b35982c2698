#include "config/pattern.h"

#include "core/text_pattern.h"

namespace llmroute::config {

std::optional<std::string> pattern_error(const std::string& pattern) {
  const auto compiled = core::TextPattern::compile(pattern);
  if (compiled) return std::nullopt;
  return compiled.error().message;
}

}  // namespace llmroute::config
