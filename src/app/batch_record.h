// What a batch asks of a record before anything is sent: the run's options for
// what it leaves open, and its decision.
#pragma once

#include "app/options.h"
#include "app/route.h"
#include "base/result.h"
#include "batch/record.h"
#include "core/decision.h"

namespace llmroute::app {

// Fills in what the options say of records that say nothing themselves, then
// decides as `run` would. At least one candidate; else the error of
// Router::decide() or no_candidate().
base::Result<core::Decision> decide_record(batch::Record& record,
                                           const BatchOptions& options,
                                           const Routed& routed);

// A name in the options that nobody knows, and no key for anybody, are errors
// of the command and not of every record.
base::Status check_routing_options(const BatchOptions& options,
                                   const Routed& routed);

// That error as the record's own.
batch::RecordError not_routed(const base::Error& error);

// Blocks until there is something to read.
void wait_for_input(int fd);

}  // namespace llmroute::app
