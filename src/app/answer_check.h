// --check: a command that reads an answer on stdin and says by its exit status
// whether it will do.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "core/config.h"
#include "provider/call.h"

namespace llmroute::app {

struct Verdict {
  bool accepted = false;
  base::Error why;  // REQUIRES: !accepted. kNegative: it will not do; another
                    // kind: the command could not say
};

// Runs `command` by /bin/sh -c, with the environment and the limits that exec
// providers have. Thread-safe.
Verdict check_answer(const std::string& command, const std::string& answer,
                     const core::Limits& limits,
                     const provider::Cancel& cancel);

}  // namespace llmroute::app
