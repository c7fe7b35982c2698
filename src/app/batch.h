// `llmroute batch`: records in, a result for each, in order.
#pragma once

#include "app/options.h"
#include "base/environment.h"
#include "base/result.h"
#include "core/exit_status.h"

namespace llmroute::app {

// An interrupted batch or one whose reader went away does not return: it dies
// by the signal. kNegative: some records failed.
base::Result<core::ExitStatus> batch(const BatchOptions& options,
                                     const base::Environment& environment);

}  // namespace llmroute::app
