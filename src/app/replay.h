// The replay command: recorded decisions, taken again.
#pragma once

#include "app/options.h"
#include "base/environment.h"
#include "base/result.h"
#include "core/exit_status.h"

namespace llmroute::app {

// One decision as it was, or with another configuration any number. kNegative:
// another decision comes out. kNoInput: no such decision, or a part of what it
// was made of is not in the ledger.
base::Result<core::ExitStatus> replay(const ReplayOptions& options,
                                      const base::Environment& environment);

}  // namespace llmroute::app
