// The usage command: what was spent, what that saved, what is left.
#pragma once

#include "app/options.h"
#include "base/environment.h"
#include "base/result.h"
#include "core/exit_status.h"

namespace llmroute::app {

// Reads the ledgers, which may be in use; writes only where an action asks for
// it. A ledger that was named and is not there: kNoInput; the usual one that is
// not there yet is empty.
base::Result<core::ExitStatus> usage(const UsageOptions& options,
                                     const base::Environment& environment);

}  // namespace llmroute::app
