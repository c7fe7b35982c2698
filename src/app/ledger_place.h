// Which ledger is meant, and how those open it who need it to be there.
#pragma once

#include <optional>
#include <string>

#include "app/options.h"
#include "base/environment.h"
#include "base/result.h"
#include "store/ledger.h"

namespace llmroute::app {

// The ledger's path as the user means it, or nothing if it is off.
std::optional<std::string> ledger_place(const LedgerOptions& options,
                                        const base::Environment& environment);

// A ledger that is there, or kNoInput; to be written, it must be ours.
base::Result<store::Ledger> open_existing(const std::string& place,
                                          const store::DatabaseOptions& how);
// The same of the one that the options name. kUsage if it is off.
base::Result<store::Ledger> existing_ledger(
    const LedgerOptions& options, const base::Environment& environment,
    const store::DatabaseOptions& how);

// The ledger that the options name, if it is there and can be read at once.
std::optional<store::Ledger> open_at_decision(
    const LedgerOptions& options, const base::Environment& environment,
    bool to_write);

}  // namespace llmroute::app
