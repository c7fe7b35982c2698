// `llmroute bench`: how fast this build is, or, with files of outcomes, how
// good its routing is. Sends nothing.
#pragma once

#include "app/options.h"
#include "base/environment.h"
#include "base/result.h"
#include "core/exit_status.h"

namespace llmroute::app {

// Prints to stdout. Errors: kData and kNoInput of the files, kConfig.
base::Result<core::ExitStatus> bench(const BenchOptions& options,
                                     const base::Environment& environment);

}  // namespace llmroute::app
