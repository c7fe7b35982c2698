// `batch --split DIR` and `batch --collect DIR`: for providers' own batch
// queues. The files: batch/split.h, batch/collect.h.
#pragma once

#include "app/messages.h"
#include "app/options.h"
#include "app/route.h"
#include "base/environment.h"
#include "base/result.h"
#include "batch/input_lines.h"
#include "core/exit_status.h"

namespace llmroute::app {

// Routes every record; no network. kNegative: some records cannot be asked.
base::Result<core::ExitStatus> split_batch(const BatchOptions& options,
                                           const Routed& routed,
                                           batch::InputLines& lines,
                                           const Messages& messages);

// The results of the queues, in input order, to -o or stdout. kNegative: some
// are missing or failed.
base::Result<core::ExitStatus> collect_batch(
    const BatchOptions& options, const base::Environment& environment,
    const Messages& messages);

}  // namespace llmroute::app
