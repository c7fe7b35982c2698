// The decision as both `run` and `explain` take it: config, prompt, analysis,
// what is available, router.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "analyzer/analyzer.h"
#include "app/messages.h"
#include "app/options.h"
#include "base/environment.h"
#include "base/result.h"
#include "core/config.h"
#include "core/decision.h"
#include "core/prompt.h"

namespace llmroute::app {

// Who asks: run looks whether local servers answer; explain contacts nothing
// and goes by what was last seen, and where no key is set at all, decides as if
// all were.
enum class Asker { kRun, kExplain };

struct Routed {
  std::unique_ptr<core::Config> config;  // the decision borrows from it
  std::unique_ptr<analyzer::Analyzer> analyzer;
  core::Prompt prompt;  // as given, before any template
  core::Decision decision;
  std::chrono::microseconds took{0};  // analysis and decision
};

struct RouteQuestion {
  const ConfigOptions& config;
  const InputOptions& input;
  const RoutingOptions& routing;
  const RequestOptions& request;
  const LimitOptions& limits;
  Asker asker = Asker::kRun;
};

base::Result<Routed> route_prompt(const RouteQuestion& question,
                                  const base::Environment& environment,
                                  const Messages& messages);

}  // namespace llmroute::app
