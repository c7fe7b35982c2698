// Settings -> the command that was asked for.
#pragma once

#include "base/environment.h"
#include "base/result.h"
#include "cli/parse.h"
#include "cli/settings.h"
#include "core/exit_status.h"

namespace llmroute::cli {

// REQUIRES: args has no error.
base::Result<core::ExitStatus> dispatch(const Args& args, Settings settings,
                                        const base::Environment& environment);

// `with_libraries`: with those that are opened for calls, which takes 5 ms.
base::Result<core::ExitStatus> print_version(bool with_libraries);

}  // namespace llmroute::cli
