// The one place an error of a command is told.
#pragma once

#include <string>

#include "app/options.h"
#include "base/result.h"
#include "core/exit_status.h"

namespace llmroute::cli {

// One line on stderr: `llmroute: MESSAGE`, or a JSON object. Returns the exit
// status that goes with the error.
core::ExitStatus report(const base::Error& error,
                        const app::MessageOptions& options);

// {"code":"no_input","exit":66,"retryable":false,"message":"..."}
std::string error_json(const base::Error& error);

}  // namespace llmroute::cli
