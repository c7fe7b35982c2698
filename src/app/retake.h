// A decision in the form in which it can be taken again: what it was made of
// and what came of it, without text of the prompt. What every decision has of
// its own is packed (base/packed.h), with a version before it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/decider.h"
#include "app/taken.h"
#include "base/result.h"
#include "core/analysis.h"
#include "core/decision.h"
#include "core/experience.h"
#include "core/money.h"
#include "core/routing_options.h"
#include "routing/evidence.h"
#include "routing/router.h"

namespace llmroute::app {

// What the decisions of a process share.
struct SharedInputs {
  std::string config;                     // hash of its snapshot
  std::string router_model;               // SHA-256 of its file
  std::vector<std::string> missing_keys;  // names of providers
  std::map<std::string, std::string> unavailable;
};

// The same text for the same.
std::string shared_inputs_json(const SharedInputs& shared);

// Reads it back. kData if it makes no sense.
base::Result<SharedInputs> read_shared_inputs(std::string_view json);

// What else a decision is made of.
struct Inputs {
  core::Analysis analysis;
  core::RoutingOptions options;
  routing::Evidence evidence;
  std::optional<int64_t> max_tokens;
  std::optional<core::Money> ceiling;          // of the one request
  std::optional<core::Experience> experience;  // what was learned by then
  std::optional<double> draw;                  // of chance
};

// Of a decision that has just been made.
std::string pack_inputs(const Taken& taken);

// Reads it back. `rules`: those that its decision was made under. kData if it
// makes no sense.
base::Result<Inputs> unpack_inputs(std::string_view bytes,
                                   const std::vector<core::Rule>& rules);

// What was decided: the same decision gives the same bytes. It has the first
// candidates with their worths, and a fingerprint of everything, excluded
// models and rules with their reasons included.
std::string pack_outcome(const core::Decision& decision);

// The same as JSON, for people. kData if it makes no sense.
base::Result<std::string> outcome_json(std::string_view bytes);

// Decides again, under any configuration: that of the router. Errors as
// Router::decide().
base::Result<core::Decision> decide_again(const Inputs& inputs,
                                          const SharedInputs& shared,
                                          const core::Config& config,
                                          const routing::Router& router);

// The text of a configuration's snapshot: of which registry, and what is set
// over it.
std::string snapshot_text(const core::Config& config);
// The hash of the registry that it names; "" if it names none.
std::string registry_of(const std::string& snapshot);

}  // namespace llmroute::app
