// Holds: the worst case of an attempt is put aside before a byte is sent, so
// that settled + held never exceeds a ceiling, however many processes there are
// and whenever they die. Ledger::record() settles it.
#pragma once

#include <span>

#include "base/result.h"
#include "store/ledger.h"
#include "store/rows.h"
#include "store/scopes.h"

namespace llmroute::store {

// Puts the attempt's worst case aside in all of its scopes, in one transaction.
// kBudget: it does not fit under one of the ceilings, or it is a hedge and
// kHedges of the last kRequests had one; then nothing is held.
// REQUIRES: attempt.worst_pico; decision.run for a ceiling of a run.
base::Status hold(Ledger& ledger, DecisionRow& decision,
                  const AttemptRow& attempt, std::span<const Ceiling> ceilings,
                  int64_t now);

inline constexpr int kHedges = 5, kRequests = 100;

// Holds whose process has died are settled as their worst case. How many.
base::Result<int64_t> settle_orphans(Ledger& ledger);

}  // namespace llmroute::store
