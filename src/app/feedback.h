// The feedback command: how good an answer was, by a person's word.
#pragma once

#include "app/options.h"
#include "base/environment.h"
#include "base/result.h"
#include "core/exit_status.h"

namespace llmroute::app {

base::Result<core::ExitStatus> feedback(const FeedbackOptions& options,
                                        const base::Environment& environment);

}  // namespace llmroute::app
