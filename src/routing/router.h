// The decision: rules, gates, worth, selection. Pure: no I/O, clock,
// environment or globals.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/config.h"
#include "core/decision.h"
#include "core/experience.h"
#include "core/prompt.h"
#include "core/routing_options.h"
#include "routing/rules.h"

namespace llmroute::routing {

// Name -> why it cannot be used; borrowed, null: nothing.
using Reasons = const std::map<std::string, std::string>*;

// What the world adds to the options: the analysis, which keys and local models
// are there.
struct Request {
  const core::Prompt& prompt;
  const core::Analysis& analysis;
  const core::RoutingOptions& options;
  std::optional<core::Money> max_cost;
  Reasons missing_keys;                          // of providers
  Reasons unavailable;                           // of models and providers
  const core::Experience* experience = nullptr;  // null: none
  std::optional<double> draw = {};  // of chance, in [0, 1); nothing: none
  bool ask_held = false;  // models that are held are asked all the same
  const core::Model* admitted = nullptr;  // passes every gate; for "what if"
  // In place of the prompt's text, of which only the parameters count then.
  const Evidence* evidence = nullptr;
};

// Built once, then immutable and safe to share between threads. Borrows the
// config, which must outlive it.
class Router {
 public:
  // Bad rule pattern: kConfig.
  static base::Result<Router> create(const core::Config& config);

  // An unknown model, route, profile or tier in the options: kUsage with the
  // nearest name. A decision without candidates is a result, not an error: see
  // no_candidate().
  base::Result<core::Decision> decide(const Request& request) const;
  // The same into `decision`, whatever it held: its memory is used again, for
  // who decides often.
  base::Status decide(const Request& request, core::Decision& decision) const;

 private:
  Router(const core::Config& config, RuleSet rules);
  const core::Config* config_;
  RuleSet rules_;
  std::vector<const core::Model*> by_default_;  // members of the default route
};

// Why a decision has no candidates, by the gate that the last models failed:
// kNoPermission (keys), kData (window), kBudget, else kUnavailable.
base::Error no_candidate(const core::Decision& decision);

}  // namespace llmroute::routing
