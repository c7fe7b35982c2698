// `llmroute train`: labelled prompts -> a router model file and its card.
#pragma once

#include "app/options.h"
#include "base/environment.h"
#include "base/result.h"
#include "core/exit_status.h"

namespace llmroute::app {

// The held-out report goes to stdout, progress to stderr if that is a terminal.
// kNegative: the model is no better than the best constant and was not written
// (see --force). Errors: kUsage without files or -o; kData naming file and
// line; kNoInput; kConfig for a bad --init; kCannotCreate, kIo.
base::Result<core::ExitStatus> train(const TrainOptions& options,
                                     const base::Environment& environment);

}  // namespace llmroute::app
