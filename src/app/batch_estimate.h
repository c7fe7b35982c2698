// `batch --dry-run` and `--validate`: what a batch would ask of whom, and what
// that would cost; no network, no keys.
#pragma once

#include "app/messages.h"
#include "app/options.h"
#include "app/route.h"
#include "base/result.h"
#include "batch/input_lines.h"
#include "core/exit_status.h"

namespace llmroute::app {

// --validate: kData if a record cannot be asked; each is named on stderr.
base::Result<core::ExitStatus> estimate_batch(const BatchOptions& options,
                                              const Routed& routed,
                                              batch::InputLines& lines,
                                              const Messages& messages);

}  // namespace llmroute::app
