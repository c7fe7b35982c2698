// What failed attempts amount to.
#pragma once

#include <cstddef>

#include "app/attempt_plan.h"
#include "base/result.h"

namespace llmroute::app {

// The error that all attempts together amount to. REQUIRES: !answered.reply, at
// least one attempt.
base::Error failed(const Answered& answered, size_t printed_bytes);

}  // namespace llmroute::app
