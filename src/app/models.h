// `llmroute models`: the models that could be chosen, their prices, limits,
// abilities and keys. Contacts nothing.
#pragma once

#include "app/options.h"
#include "base/environment.h"
#include "base/result.h"
#include "core/exit_status.h"

namespace llmroute::app {

// Those whose key is present, or all; those that match one of the patterns, by
// name, alias or provider/id. kNegative if a pattern matches nothing.
base::Result<core::ExitStatus> models(const ModelsOptions& options,
                                      const base::Environment& environment);

}  // namespace llmroute::app
