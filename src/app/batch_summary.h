// What is told of a batch when it is over.
#pragma once

#include <chrono>
#include <string>

#include "app/batch_totals.h"
#include "base/result.h"

namespace llmroute::app {

// Lines for a person. `why`: null, or what stopped it; `resumable`: there is a
// journal.
std::string summary_text(const BatchTotals& totals,
                         std::chrono::milliseconds took, const base::Error* why,
                         bool resumable);

// One object, schema "llmroute.batch/1", with a final newline; fields are only
// ever added.
std::string summary_json(const BatchTotals& totals,
                         std::chrono::milliseconds took,
                         const base::Error* why);

}  // namespace llmroute::app
