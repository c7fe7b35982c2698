// What is told of a batch when it is over.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "app/batch_totals.h"
#include "base/result.h"

namespace llmroute::app {

// Lines for a person. `why`: null, or what stopped it; `timing`: records have
// times; `resumable`: there is a journal.
std::string summary_text(const BatchTotals& totals,
                         std::chrono::milliseconds took, const base::Error* why,
                         bool timing, bool resumable);

// Of all results; nothing if none of it is known.
std::optional<core::Money> known_cost(const BatchTotals& totals);

// "3 data (first in line 2), 1 budget (line 9)"
std::string causes_text(const std::map<std::string, FailureCause>& causes);

// One object, schema "llmroute.batch/1", with a final newline; fields are only
// ever added.
std::string summary_json(const BatchTotals& totals,
                         std::chrono::milliseconds took, const base::Error* why,
                         bool timing);

// "$1 of the ceiling of $2 are spent", or "are or may be spent" where what some
// call cost is not known. `settled`: of the ceiling, by all attempts so far.
std::string spent_text(const BatchTotals& totals, core::Money settled,
                       core::Money ceiling);

}  // namespace llmroute::app
