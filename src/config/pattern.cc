#include "config/pattern.h"

#include <re2/re2.h>

namespace llmroute::config {

std::optional<std::string> pattern_error(const std::string& pattern) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(8 << 20);
  const RE2 compiled(pattern, options);
  if (compiled.ok()) return std::nullopt;
  return compiled.error();
}

}  // namespace llmroute::config
