// The feedback command: how good an answer was, by a person's word.
#pragma once

#include <string>

#include "app/options.h"
#include "base/environment.h"
#include "base/result.h"
#include "core/exit_status.h"
#include "store/ledger.h"

namespace llmroute::app {

base::Result<core::ExitStatus> feedback(const FeedbackOptions& options,
                                        const base::Environment& environment);

// An existing ledger that is meant, or kNoInput. kUsage if it is off.
base::Result<store::Ledger> existing_ledger(
    const LedgerOptions& options, const base::Environment& environment,
    const store::DatabaseOptions& how);

}  // namespace llmroute::app
