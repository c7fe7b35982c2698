// A decision that has been taken, with what it was made of: what the ledger
// keeps of it. Borrows everything.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "app/decider.h"
#include "core/decision.h"
#include "core/money.h"
#include "core/prompt.h"
#include "core/routing_options.h"

namespace llmroute::app {

struct Taken {
  const core::Prompt& prompt;  // as given, before any template
  const core::Decision& decision;
  const Circumstances& around;
  const core::RoutingOptions& options;  // with the request's own
  std::optional<core::Money> ceiling;   // of the one request
  std::optional<int64_t> seed = {};     // of exploration
  std::chrono::microseconds took{0};    // analysis and decision
};

}  // namespace llmroute::app
