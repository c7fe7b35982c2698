#include "config/references.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/names.h"
#include "config/names.h"

namespace llmroute::config {
namespace {

using core::Model;

std::string aliases_path(const Model& model) {
  return join_path(join_path("models", model.name), "aliases");
}

// Names taken so far, and by which kind of thing: "a model", "a route".
class Taken {
 public:
  // Nothing, or what has the name already.
  std::string_view take(const std::string& name, std::string_view kind) {
    const auto [at, fresh] = names_.try_emplace(name, kind);
    return fresh ? std::string_view() : at->second;
  }
  bool contains(const std::string& name) const { return names_.contains(name); }

 private:
  std::unordered_map<std::string, std::string_view> names_;
};

base::Status take_names(const core::Config& config, const Origins& origins,
                        Taken& taken) {
  for (const Model& model : config.models) {
    taken.take(model.name, "a model");
  }
  for (const core::Route& route : config.routes) {
    if (taken.take(route.name, "a route").empty()) continue;
    return origins.fail(
        {join_path("routes", route.name), join_path("models", route.name)},
        fmt::format("'{}' is both a model and a route", route.name));
  }
  return {};
}

base::Status take_own_aliases(const Model& model, const Origins& origins,
                              Taken& taken) {
  const std::string path = aliases_path(model);
  for (size_t i = 0; i < model.aliases.size(); ++i) {
    const std::string_view other =
        taken.take(model.aliases[i], "the alias of another model");
    if (other.empty()) continue;
    return origins.fail(
        {item_path(path, i), path},
        fmt::format("alias '{}' is already {}", model.aliases[i], other));
  }
  return {};
}

void take_built_in_aliases(Model& model, Taken& taken) {
  std::erase_if(model.aliases, [&](const std::string& alias) {
    return !taken.take(alias, "the alias of another model").empty();
  });
}

void add_provider_aliases(core::Config& config, const Taken& taken) {
  std::vector<std::string> aliases;
  aliases.reserve(config.models.size());
  std::unordered_map<std::string_view, int> uses;
  for (const Model& model : config.models) {
    aliases.push_back(model.provider + "/" + model.id);
    ++uses[aliases.back()];
  }
  for (size_t i = 0; i < aliases.size(); ++i) {
    if (uses[aliases[i]] > 1 || taken.contains(aliases[i])) continue;
    config.models[i].aliases.push_back(aliases[i]);
  }
}

std::vector<std::string> sorted(
    const std::unordered_set<std::string_view>& names) {
  std::vector<std::string> out(names.begin(), names.end());
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

base::Status assign_aliases(core::Config& config, const Origins& origins) {
  Taken taken;
  LLMROUTE_CHECK(take_names(config, origins, taken));
  for (const Model& model : config.models) {
    if (!model.aliases.empty() && origins.has(aliases_path(model))) {
      LLMROUTE_CHECK(take_own_aliases(model, origins, taken));
    }
  }
  for (Model& model : config.models) {
    if (!model.aliases.empty() && !origins.has(aliases_path(model))) {
      take_built_in_aliases(model, taken);
    }
  }
  add_provider_aliases(config, taken);
  return {};
}

References::References(const core::Config& config,
                       const std::set<std::string>& disabled)
    : config_(config), disabled_(disabled) {
  for (const Model& model : config.models) {
    models_.insert(model.name);
    models_.insert(model.aliases.begin(), model.aliases.end());
  }
  for (const core::Provider& provider : config.providers) {
    providers_.insert(provider.name);
  }
  for (const core::Route& route : config.routes) routes_[route.name] = &route;
}

const core::Route* References::route(const std::string& name) const {
  const auto found = routes_.find(name);
  return found == routes_.end() ? nullptr : found->second;
}

bool References::is_model(const std::string& name) const {
  return models_.contains(name) || is_served_locally(name);
}

bool References::is_served_locally(const std::string& name) const {
  const size_t slash = name.find('/');
  if (slash == std::string::npos || slash + 1 == name.size()) return false;
  const core::Provider* provider = config_.find_provider(name.substr(0, slash));
  return provider != nullptr && provider->protocol == core::Protocol::kOllama;
}

std::string References::unknown(std::string_view what, const std::string& name,
                                const std::vector<std::string>& known) const {
  if (disabled_.contains(name)) {
    return fmt::format("model '{}' is disabled by enabled = false", name);
  }
  return fmt::format("unknown {} '{}'{}", what, base::shown_name(name),
                     base::name_help(name, known));
}

std::vector<std::string> References::model_names() const {
  return sorted(models_);
}

std::vector<std::string> References::route_names() const {
  std::vector<std::string> names;
  for (const core::Route& route : config_.routes) names.push_back(route.name);
  return names;
}

std::string References::provider_problem(const std::string& name) const {
  if (is_provider(name)) return "";
  return unknown("provider", name, sorted(providers_));
}

std::string References::tier_problem(const std::string& name) const {
  if (config_.find_tier(name)) return "";
  std::vector<std::string> known;
  for (const core::Tier& tier : config_.tiers) {
    known.push_back(tier.name);
    known.insert(known.end(), tier.aliases.begin(), tier.aliases.end());
  }
  return unknown("tier", name, known);
}

std::string References::route_problem(const std::string& name) const {
  return is_route(name) ? "" : unknown("route", name, route_names());
}

std::string References::model_problem(const std::string& name) const {
  return is_model(name) ? "" : unknown("model", name, model_names());
}

std::string References::member_problem(const std::string& name) const {
  if (is_glob(name) || is_route(name) || is_model(name)) return "";
  std::vector<std::string> known = model_names();
  const std::vector<std::string> routes = route_names();
  known.insert(known.end(), routes.begin(), routes.end());
  return unknown("model or route", name, known);
}

std::string References::filter_problem(const std::string& name) const {
  if (is_glob(name) || is_model(name) || is_provider(name) ||
      disabled_.contains(name)) {
    return "";
  }
  std::vector<std::string> known = model_names();
  known.insert(known.end(), providers_.begin(), providers_.end());
  return unknown("model or provider", name, known);
}

}  // namespace llmroute::config
