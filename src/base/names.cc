#include "base/names.h"

#include <fmt/format.h>

#include "base/text.h"

namespace llmroute::base {

std::string name_help(std::string_view name,
                      std::span<const std::string> known) {
  constexpr size_t kFew = 8;  // that can all be named
  if (const auto nearest = nearest_name(name, known)) {
    return fmt::format(" (did you mean '{}'?)", *nearest);
  }
  if (known.empty() || known.size() > kFew) return {};
  return fmt::format(" (known: {})", join(known, ", "));
}

}  // namespace llmroute::base
