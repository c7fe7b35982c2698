#include "config/pattern.h"

#include "core/pattern_sketch.h"
#include "core/text_pattern.h"

namespace llmroute::config {

std::optional<std::string> pattern_error(const std::string& pattern) {
  if (core::sketch_pattern(pattern)) return std::nullopt;
  const auto compiled = core::TextPattern::compile(pattern);
  if (compiled) return std::nullopt;
  return compiled.error().message;
}

}  // namespace llmroute::config
