// What `usage` does to a ledger when asked: check its counters, give up holds
// of processes that died, forget old rows.
#pragma once

#include <string>
#include <vector>

#include "app/options.h"
#include "base/result.h"
#include "core/exit_status.h"

namespace llmroute::app {

// REQUIRES: an action other than kReport. `files`: as they are meant. kUsage if
// there is more than one. A check that found something wrong is kNegative.
base::Result<core::ExitStatus> usage_upkeep(
    const UsageOptions& options, const std::vector<std::string>& files);

}  // namespace llmroute::app
