// `llmroute config`: which files are read, what they say together, whether that
// makes sense, a starter file, one value. Contacts nothing and reads no keys.
#pragma once

#include "app/options.h"
#include "base/environment.h"
#include "base/result.h"
#include "core/exit_status.h"

namespace llmroute::app {

// path   the file that is read, or would be; the places looked at on stderr
// show   the configuration in effect, as TOML that can be read back
// check  "ok" and a summary, warnings on stderr; the error if there is one
// init   writes a commented starter file, 0600; kCannotCreate if it exists
// get    one value; kUsage for an unknown key, kNegative if it is not set
base::Result<core::ExitStatus> config_command(
    const ConfigCommandOptions& options, const base::Environment& environment);

}  // namespace llmroute::app
