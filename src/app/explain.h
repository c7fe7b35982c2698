// `llmroute explain`: the decision that run would take, and why. Sends nothing,
// contacts nothing, needs no keys.
#pragma once

#include "app/options.h"
#include "base/environment.h"
#include "base/result.h"
#include "core/exit_status.h"

namespace llmroute::app {

// With --expect: kNegative if the decision differs.
base::Result<core::ExitStatus> explain(const ExplainOptions& options,
                                       const base::Environment& environment);

}  // namespace llmroute::app
