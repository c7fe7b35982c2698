// `llmroute run`: the story of a prompt.
#pragma once

#include "app/options.h"
#include "base/environment.h"
#include "base/result.h"
#include "core/exit_status.h"

namespace llmroute::app {

// An interrupted run or one whose reader went away does not return: it dies by
// the signal.
base::Result<core::ExitStatus> run(const RunOptions& options,
                                   const base::Environment& environment);

}  // namespace llmroute::app
