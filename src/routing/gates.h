// Gates: what a model must pass to be a candidate. Never learned, never
// crossed.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/decision.h"

namespace llmroute::routing {

struct Gates {
  std::vector<std::string> allow, deny, require;
  std::optional<size_t> min_tier, max_tier;  // indexes into Config::tiers
  const core::Rule* rule = nullptr;          // whose are among them; borrowed
  // Name -> why; borrowed, null: nothing.
  const std::map<std::string, std::string>* missing_keys = nullptr;
  const std::map<std::string, std::string>* unavailable = nullptr;
  const std::map<std::string, std::string>* held = nullptr;
};

// What helps where every model lacks a tag: the rule that requires it, a
// likelier tag, or how to give it to a model. Empty if some model failed
// another gate than kName and kTag. REQUIRES: excluded by `gates`.
std::string tag_remedy(const Gates& gates, const core::Config& config,
                       const std::vector<core::Exclusion>& excluded);

// The first gate that `model` does not pass; nothing if it passes all. Window
// and budget need estimates: estimate.h.
std::optional<core::Exclusion> excluded_by(const Gates& gates,
                                           const core::Config& config,
                                           const core::Model& model,
                                           const core::Provider& provider);

}  // namespace llmroute::routing
