#include "core/config.h"

#include <algorithm>
#include <cmath>

namespace llmroute::core {
namespace {

template <class T>
const T* find_named(const std::vector<T>& items, const std::string& name) {
  const auto found =
      std::find_if(items.begin(), items.end(),
                   [&](const T& item) { return item.name == name; });
  return found == items.end() ? nullptr : &*found;
}

template <class T>
const T* find_alias(const std::vector<T>& items, const std::string& name) {
  for (const T& item : items) {
    if (std::find(item.aliases.begin(), item.aliases.end(), name) !=
        item.aliases.end()) {
      return &item;
    }
  }
  return nullptr;
}

}  // namespace

void Limits::set_retries(int retries) {
  attempts_per_candidate = retries + 1;
  attempts_per_request =
      std::max(Limits().attempts_per_request, attempts_per_candidate);
}

const Provider* Config::find_provider(const std::string& name) const {
  return find_named(providers, name);
}

const Model* Config::find_model(const std::string& name_or_alias) const {
  const Model* named = find_named(models, name_or_alias);
  return named != nullptr ? named : find_alias(models, name_or_alias);
}

const Route* Config::find_route(const std::string& name) const {
  return find_named(routes, name);
}

const Profile* Config::find_profile(const std::string& name) const {
  return find_named(profiles, name);
}

std::optional<size_t> Config::find_tier(const std::string& name) const {
  const Tier* tier = find_named(tiers, name);
  if (tier == nullptr) tier = find_alias(tiers, name);
  if (tier == nullptr) return std::nullopt;
  return static_cast<size_t>(tier - tiers.data());
}

size_t Config::tier_of(const Model& model) const {
  if (const std::optional<size_t> named = find_tier(model.tier)) return *named;
  if (tiers.empty()) return 0;
  // General abilities of current models lie between these.
  constexpr double kWeakest = -0.7;
  constexpr double kStrongest = 2.6;
  const double share =
      (model.general_ability() - kWeakest) / (kStrongest - kWeakest);
  const auto count = static_cast<double>(tiers.size());
  return static_cast<size_t>(
      std::clamp(std::floor(share * count), 0.0, count - 1));
}

}  // namespace llmroute::core
