// How a run ends, once nobody is asked any more: what is still owed is printed,
// and what came decides the status.
#pragma once

#include <string>

#include "app/attempt.h"
#include "app/interrupt.h"
#include "app/messages.h"
#include "app/options.h"
#include "app/output.h"
#include "app/route.h"
#include "base/result.h"
#include "core/exit_status.h"

namespace llmroute::app {

// By a status or an error, or by a signal.
struct Ending {
  base::Result<core::ExitStatus> status = core::ExitStatus::kOk;
  int signal = 0;

  int code() const {
    if (signal != 0) return 128 + signal;
    return static_cast<int>(status ? *status
                                   : core::exit_status(status.error().kind));
  }
};

// Prints what is owed, and says what came of it.
Ending conclude(const RunOptions& options, const std::string& id,
                const Routed& routed, const Answered& answered,
                const InterruptGuard& interrupt, AnswerOutput& output,
                const Messages& messages);

// `kept`: of what is kept beside the answer. Its failure is the run's, if that
// has none of its own.
void add_failure(const base::Status& kept, const Messages& messages,
                 Ending& ending);

}  // namespace llmroute::app
