#include "app/config_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/names.h"
#include "base/text.h"
#include "config/keys.h"
#include "config/origins.h"

namespace llmroute::app {
namespace {

using core::Config;
using core::Model;
using core::Route;

bool is_built_in(const std::string& origin) { return origin == "built-in"; }

bool has_tag(const std::vector<std::string>& tags, const std::string& tag) {
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

class Check {
 public:
  Check(const Config& config, const base::Environment& environment)
      : config_(config), environment_(environment) {
    for (const core::ConfigValue& value : config.values) set_.insert(value.key);
  }

  std::vector<std::string> run();

 private:
  void warn(std::string text) { warnings_.push_back(std::move(text)); }
  void add_members(const Route& route, std::set<const Model*>& models) const;
  std::set<const Model*> members(const Route& route) const;
  bool usable(const Model& model) const {
    return config::key_present(*config_.find_provider(model.provider),
                               environment_);
  }
  std::set<const Model*> reached() const;
  bool names_tier(const core::Tier& tier) const;
  void check_tiers();
  void check_route(const Route& route);
  void check_keys();
  void check_model(const Model& model);
  // Whether a file says so, or one of its members.
  bool is_set(std::string_view key, const Model& model) const;
  void check_rule(const core::Rule& rule);
  void check_patterns(const std::string& where,
                      const std::vector<std::string>& entries);

  const Config& config_;
  const base::Environment& environment_;
  std::set<std::string_view> set_;  // paths of what a file sets
  std::vector<std::string> warnings_;
};

void Check::add_members(const Route& route,
                        std::set<const Model*>& models) const {
  const auto add_matching = [&](const std::string& glob) {
    for (const Model& model : config_.models) {
      if (base::glob_match(glob, model.name)) models.insert(&model);
    }
  };
  if (route.models.empty()) add_matching("*");
  for (const std::string& member : route.models) {
    if (const Model* model = config_.find_model(member)) {
      models.insert(model);
    } else if (const Route* inner = config_.find_route(member)) {
      add_members(*inner, models);
    } else {
      add_matching(member);
    }
  }
}

std::set<const Model*> Check::members(const Route& route) const {
  std::set<const Model*> models;
  add_members(route, models);
  return models;
}

// Models that some route or rule can choose.
std::set<const Model*> Check::reached() const {
  std::set<const Model*> models;
  for (const Route& route : config_.routes) add_members(route, models);
  for (const core::Rule& rule : config_.rules) {
    if (const Model* model = config_.find_model(rule.model)) {
      models.insert(model);
    }
  }
  return models;
}

// Whether a file defines the tier, or asks for it.
bool Check::names_tier(const core::Tier& tier) const {
  if (set_.contains(
          config::join_path(config::join_path("tiers", tier.name), "name"))) {
    return true;
  }
  const auto is_it = [&](const std::string& name) {
    return name == tier.name || has_tag(tier.aliases, name);
  };
  return std::ranges::any_of(config_.rules, [&](const core::Rule& rule) {
    return is_it(rule.tier) || is_it(rule.min_tier) || is_it(rule.max_tier);
  });
}

void Check::check_tiers() {
  const std::set<const Model*> models = reached();
  const bool any_key = std::any_of(models.begin(), models.end(),
                                   [&](const Model* m) { return usable(*m); });
  for (size_t tier = 0; tier < config_.tiers.size(); ++tier) {
    if (!names_tier(config_.tiers[tier])) continue;
    size_t total = 0;
    size_t with_key = 0;
    for (const Model* model : models) {
      if (config_.tier_of(*model) != tier) continue;
      ++total;
      if (usable(*model)) ++with_key;
    }
    const std::string& name = config_.tiers[tier].name;
    if (total == 0) {
      warn(
          fmt::format("tier '{}' can never be reached: no route has a model "
                      "of it",
                      name));
    } else if (with_key == 0 && any_key) {
      warn(
          fmt::format("tier '{}' cannot be reached now: no model of it has a "
                      "key",
                      name));
    }
  }
}

// Routes of the user's own; the built-in one has models of every provider.
void Check::check_route(const Route& route) {
  const std::set<const Model*> models = members(route);
  if (models.empty()) {
    warn(fmt::format("route '{}' matches no model", route.name));
  }
  if (route.models.empty()) return;
  check_patterns(fmt::format("route '{}'", route.name), route.models);
  std::set<std::string> told;
  for (const Model& model : config_.models) {
    if (!models.contains(&model) || usable(model)) continue;
    const core::Provider& provider = *config_.find_provider(model.provider);
    if (!told.insert(provider.name).second) continue;
    warn(fmt::format("route '{}' uses {}, but {}", route.name, model.name,
                     config::missing_key_text(provider)));
  }
}

void Check::check_keys() {
  const bool any =
      std::any_of(config_.models.begin(), config_.models.end(),
                  [&](const Model& model) { return usable(model); });
  if (!any) {
    warn(
        "no model has a key: set a variable such as OPENAI_API_KEY or "
        "ANTHROPIC_API_KEY, or start Ollama");
  }
}

bool Check::is_set(std::string_view key, const Model& model) const {
  const std::string path =
      config::join_path(config::join_path("models", model.name), key);
  const auto at = set_.lower_bound(path);
  return at != set_.end() && (*at == path || at->starts_with(path + "."));
}

void Check::check_model(const Model& model) {
  if (is_built_in(model.origin)) return;
  if (!model.price.input || !model.price.output) {
    warn(
        fmt::format("model '{}' has no price: it is never chosen for being "
                    "cheap, and a cost ceiling refuses it",
                    model.name));
  }
  if (!is_set("ability", model)) {
    warn(
        fmt::format("model '{}' has no ability: it is taken to be of the "
                    "GPT-4o class",
                    model.name));
  }
}

// Entries of a list that match nothing: a typo, or a model that is gone.
void Check::check_patterns(const std::string& where,
                           const std::vector<std::string>& entries) {
  for (const std::string& entry : entries) {
    if (entry.find_first_of("*?") == std::string::npos) continue;
    const bool used = std::any_of(
        config_.models.begin(), config_.models.end(), [&](const Model& m) {
          return base::glob_match(entry, m.name) ||
                 base::glob_match(entry, m.provider) ||
                 base::glob_match(entry, m.provider + "/" + m.id);
        });
    if (!used) {
      warn(fmt::format("{}: pattern '{}' matches no model", where, entry));
    }
  }
}

void Check::check_rule(const core::Rule& rule) {
  const std::string where = fmt::format("rule '{}'", rule.name);
  check_patterns(where, rule.allow);
  check_patterns(where, rule.deny);
  std::vector<std::string> tags;
  for (const Model& model : config_.models) {
    const core::Provider& provider = *config_.find_provider(model.provider);
    tags.insert(tags.end(), model.tags.begin(), model.tags.end());
    tags.insert(tags.end(), provider.tags.begin(), provider.tags.end());
  }
  for (const std::string& tag : rule.require) {
    if (!has_tag(tags, tag)) {
      warn(fmt::format("{} requires '{}', which no model has{}", where, tag,
                       base::did_you_mean(tag, tags)));
    }
  }
  const Model* model = config_.find_model(rule.model);
  if (model == nullptr || usable(*model)) return;
  warn(fmt::format(
      "{} uses {}, but {}", where, model->name,
      config::missing_key_text(*config_.find_provider(model->provider))));
}

std::vector<std::string> Check::run() {
  check_keys();
  check_tiers();
  for (const Route& route : config_.routes) check_route(route);
  for (const core::Rule& rule : config_.rules) check_rule(rule);
  const std::set<const Model*> models = reached();
  for (const Model& model : config_.models) {
    if (models.contains(&model)) check_model(model);
  }
  return std::move(warnings_);
}

}  // namespace

std::vector<std::string> config_warnings(const core::Config& config,
                                         const base::Environment& environment) {
  return Check(config, environment).run();
}

}  // namespace llmroute::app
