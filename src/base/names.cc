#include "base/names.h"

#include <fmt/format.h>

#include "base/text.h"

namespace llmroute::base {

std::string did_you_mean(std::string_view name,
                         std::span<const std::string> known) {
  const auto nearest = nearest_name(name, known);
  return nearest ? fmt::format(" (did you mean '{}'?)", *nearest) : "";
}

std::string name_help(std::string_view name,
                      std::span<const std::string> known) {
  constexpr size_t kFew = 8;  // that can all be named
  std::string near = did_you_mean(name, known);
  if (!near.empty()) return near;
  if (known.empty() || known.size() > kFew) return {};
  return fmt::format(" (known: {})", join(known, ", "));
}

std::string shown_name(std::string_view name) {
  constexpr size_t kMost = 60;
  if (name.size() <= kMost) return std::string(name);
  size_t cut = kMost;
  while (cut > 0 && (static_cast<unsigned char>(name[cut]) & 0xC0) == 0x80) {
    --cut;
  }
  return std::string(name.substr(0, cut)) + "...";
}

}  // namespace llmroute::base
