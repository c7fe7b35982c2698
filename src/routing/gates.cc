#include "routing/gates.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "core/needs.h"

namespace llmroute::routing {
namespace {

using core::Exclusion;
using core::Gate;

// A glob may name the model, one of its aliases, its provider or provider/id.
const std::string* matching_glob(const std::vector<std::string>& globs,
                                 const core::Model& model) {
  for (const std::string& glob : globs) {
    const bool alias_matches =
        std::any_of(model.aliases.begin(), model.aliases.end(),
                    [&](const std::string& alias) {
                      return base::glob_match(glob, alias);
                    });
    if (alias_matches || base::glob_match(glob, model.name) ||
        base::glob_match(glob, model.provider) ||
        base::glob_match(glob, model.provider + "/" + model.id)) {
      return &glob;
    }
  }
  return nullptr;
}

bool has(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

std::optional<std::string> name_reason(const Gates& gates,
                                       const core::Model& model) {
  if (const std::string* glob = matching_glob(gates.deny, model)) {
    return fmt::format("denied by '{}'", *glob);
  }
  if (!gates.allow.empty() && matching_glob(gates.allow, model) == nullptr) {
    return "not among the allowed";
  }
  return std::nullopt;
}

// Null: nothing is missing.
const std::string* unmet_need(const Gates& gates, const core::Model& model,
                              const core::Provider& provider) {
  for (const std::string& need : gates.require) {
    const auto can = core::can_say(provider.protocol, need);
    if (!can.value_or(has(model.tags, need) || has(provider.tags, need))) {
      return &need;
    }
  }
  return nullptr;
}

std::string unmet_reason(const std::string& need,
                         const core::Provider& provider) {
  return core::can_say(provider.protocol, need)
             ? fmt::format("its protocol has no {}", need)
             : fmt::format("not tagged {}", need);
}

std::optional<std::string> tier_reason(const Gates& gates,
                                       const core::Config& config,
                                       const core::Model& model) {
  if (!gates.min_tier && !gates.max_tier) return std::nullopt;
  const size_t tier = config.tier_of(model);
  const bool low = gates.min_tier && tier < *gates.min_tier;
  const bool high = gates.max_tier && tier > *gates.max_tier;
  if (!low && !high) return std::nullopt;
  const size_t bound = low ? *gates.min_tier : *gates.max_tier;
  return fmt::format("tier {} {} {}", config.tiers[tier].name,
                     low ? "below" : "above", config.tiers[bound].name);
}

const std::string* reason(const std::map<std::string, std::string>* reasons,
                          const std::string& name) {
  if (reasons == nullptr) return nullptr;
  const auto found = reasons->find(name);
  return found == reasons->end() ? nullptr : &found->second;
}

std::vector<std::string> all_tags(const core::Config& config) {
  std::vector<std::string> tags;
  for (const core::Model& model : config.models) {
    tags.insert(tags.end(), model.tags.begin(), model.tags.end());
  }
  for (const core::Provider& provider : config.providers) {
    tags.insert(tags.end(), provider.tags.begin(), provider.tags.end());
  }
  return tags;
}

}  // namespace

std::string tag_remedy(const Gates& gates, const core::Config& config,
                       const std::vector<Exclusion>& excluded) {
  const std::string* tag = nullptr;
  for (const Exclusion& one : excluded) {
    if (one.gate > Gate::kTag) return {};
    if (one.gate != Gate::kTag || tag != nullptr) continue;
    const core::Provider& provider = *config.find_provider(one.model->provider);
    const std::string* need = unmet_need(gates, *one.model, provider);
    if (!core::can_say(provider.protocol, *need)) tag = need;
  }
  if (tag == nullptr) return {};
  std::string by_rule;
  if (gates.rule != nullptr && has(gates.rule->require, *tag)) {
    by_rule = fmt::format("rule '{}' ({}:{}) requires {}", gates.rule->name,
                          gates.rule->file, gates.rule->line, *tag);
  }
  const std::vector<std::string> known = all_tags(config);
  if (!has(known, *tag)) {
    if (const auto near = base::nearest_name(*tag, known)) {
      return by_rule + (by_rule.empty() ? "" : "; ") +
             fmt::format("did you mean '{}'?", *near);
    }
  }
  if (!by_rule.empty()) return by_rule;
  return fmt::format("add tags = [\"{}\"] to the [models.NAME] of one that is",
                     *tag);
}

std::optional<Exclusion> excluded_by(const Gates& gates,
                                     const core::Config& config,
                                     const core::Model& model,
                                     const core::Provider& provider) {
  if (auto reason = name_reason(gates, model)) {
    return Exclusion{&model, Gate::kName, *reason};
  }
  if (const std::string* need = unmet_need(gates, model, provider)) {
    return Exclusion{&model, Gate::kTag, unmet_reason(*need, provider)};
  }
  if (auto reason = tier_reason(gates, config, model)) {
    return Exclusion{&model, Gate::kTier, *reason};
  }
  if (const auto* why = reason(gates.missing_keys, provider.name)) {
    return Exclusion{&model, Gate::kKey, *why};
  }
  for (const std::string* name : {&provider.name, &model.name}) {
    if (const auto* why = reason(gates.unavailable, *name)) {
      return Exclusion{&model, Gate::kDown, *why};
    }
  }
  if (const auto* why = reason(gates.held, model.name)) {
    return Exclusion{&model, Gate::kHeld, *why};
  }
  return std::nullopt;
}

}  // namespace llmroute::routing
