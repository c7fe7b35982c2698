// The replay command: recorded decisions, taken again.
#pragma once

#include "app/options.h"
#include "base/environment.h"
#include "base/result.h"
#include "core/exit_status.h"

namespace llmroute::app {

base::Result<core::ExitStatus> replay(const ReplayOptions& options,
                                      const base::Environment& environment);

}  // namespace llmroute::app
