#include "app/complete.h"

#include <algorithm>

#include "config/load.h"

namespace llmroute::app {
namespace {

std::vector<std::string> names_of(std::string_view kind,
                                  const core::Config& config) {
  std::vector<std::string> names;
  if (kind == "models") {
    for (const auto& model : config.models) names.push_back(model.name);
  } else if (kind == "routes") {
    for (const auto& route : config.routes) names.push_back(route.name);
  } else if (kind == "profiles") {
    for (const auto& profile : config.profiles) names.push_back(profile.name);
  } else if (kind == "tiers") {
    for (const auto& tier : config.tiers) names.push_back(tier.name);
  } else if (kind == "keys") {
    for (const auto& value : config.values) names.push_back(value.key);
  }
  return names;
}

}  // namespace

std::vector<std::string> complete(std::string_view kind,
                                  std::string_view prefix,
                                  const base::Environment& environment) {
  config::Sources sources;
  sources.file = environment.get("LLMROUTE_CONFIG");
  const auto config = config::load(sources, environment);
  if (!config) return {};
  const size_t comma = prefix.rfind(',');
  const std::string head(
      prefix.substr(0, comma == std::string_view::npos ? 0 : comma + 1));
  const std::string_view begin = prefix.substr(head.size());
  std::vector<std::string> found;
  for (const std::string& name : names_of(kind, *config)) {
    if (name.starts_with(begin)) found.push_back(head + name);
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace llmroute::app
