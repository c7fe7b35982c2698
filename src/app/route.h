// The decision as both `run` and `explain` take it: config, prompt, analysis,
// what is available, router.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "analyzer/analyzer.h"
#include "app/decider.h"
#include "app/experience.h"
#include "app/messages.h"
#include "app/options.h"
#include "app/taken.h"
#include "base/environment.h"
#include "base/result.h"
#include "core/config.h"
#include "core/decision.h"
#include "core/prompt.h"

namespace llmroute::app {

struct Routed {
  std::unique_ptr<core::Config> config;  // the decision borrows from it
  std::unique_ptr<analyzer::Analyzer> analyzer;
  std::optional<store::Ledger> ledger;  // if it is there and was read
  std::unique_ptr<Known> known;         // from the ledger; null: none asked for
  std::unique_ptr<Decider> decider;     // borrows from the three above
  core::Prompt prompt;                  // as given, before any template
  core::Decision decision;
  std::optional<int64_t> seed;        // of exploration, where chance was asked
  std::chrono::microseconds took{0};  // analysis and decision
};

Taken taken_of(const Routed& routed);

// As routing::no_candidate(), and which ceiling it was.
base::Error no_candidate(const Routed& routed);

struct RouteQuestion {
  const ConfigOptions& config;
  const InputOptions& input;
  const RoutingOptions& routing;
  const RequestOptions& request;
  const LimitOptions& limits;
  Asker asker = Asker::kRun;
  bool under_ceiling = false;  // of something larger than the request
  const LedgerOptions* ledger = nullptr;  // whose statistics count; null: none
};

// Config and router model only, before any input is read: what they say now is
// used, whatever becomes of the files meanwhile.
base::Result<Routed> prepare_routing(const RouteQuestion& question,
                                     const base::Environment& environment);
// Then the decider: looks for local servers and keys.
base::Status add_decider(const RouteQuestion& question,
                         const base::Environment& environment, Routed& routed);

// All of it, for one prompt.
base::Result<Routed> route_prompt(const RouteQuestion& question,
                                  const base::Environment& environment,
                                  const Messages& messages);

}  // namespace llmroute::app
