// What happened, as rows of the ledger. Pure.
#pragma once

#include <string>
#include <string_view>

#include "app/attempt_plan.h"
#include "app/taken.h"
#include "base/result.h"
#include "core/reply.h"
#include "store/rows.h"

namespace llmroute::app {

// What was decided, as far as it is known before anything is sent. `command`:
// whose decision it is. REQUIRES: a candidate.
store::DecisionRow decision_row(const std::string& id, std::string_view command,
                                const Taken& taken);

// What it takes to decide again, but for the shared inputs.
void add_retake(const Taken& taken, store::DecisionRow& row);

// An attempt that has ended; `reply`: its answer, or null. What it is charged
// against ceilings if its cost is not known is its worst case.
store::AttemptRow attempt_row(const core::Decision& decision,
                              const Attempt& attempt, const core::Reply* reply,
                              int64_t number);

// An attempt that is about to be made, to be held. kBudget: its price is not
// known.
base::Result<store::AttemptRow> row_to_hold(const core::Decision& decision,
                                            const Attempt& asked,
                                            int64_t number);

// What the prompt's hash is made of: system text and messages, unambiguously.
std::string hashed_text(const core::Prompt& prompt);

}  // namespace llmroute::app
