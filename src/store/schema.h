// The ledger's tables, written so that plain `sqlite3` can read them. Money is
// integer picodollars (1e-12 USD), time is milliseconds since 1970 UTC, a
// column that is NULL was not known. For people there are the views `calls` and
// `spend`, in dollars.
//
//   decisions  one a prompt: what was asked for, what was chosen and why
//   attempts   one a call of a model; `state` is held (under way, or its
//              process died), orphan (died; counted as its worst case),
//              answered or failed. A view: the only call of a decision, if it
//              had ended when the decision was written, is in call_...
//              beside it, which takes half the time; the others are in
//              attempts_apart. `hedge` is 1 of a call made beside another that
//              was silent
//   scopes     what ceilings count: settled and held, by day, month, run, tag
//   daily      sums of attempts, for reports
//   snapshots  what decisions were made under, by hash: shared inputs, which
//              name a configuration, which names a registry
//   feedback   how good answers were, by people's word
//   statistics one a model and place: speed, failures, breaker; learned
//   verdicts   how good answers were, by checks
//   cells      verdicts of both kinds, a model and kind of prompt; learned
//   sessions   which model answered a session last
//   meta       the key of the prompt hashes
//
// decisions.shared_inputs and inputs are what it takes to decide again: what
// decisions share, and what is its own; outcome is what was decided, with its
// candidates' worths. The last two are bytes that `replay` reads.
//
// attempts.charged_pico is what counts against ceilings, charged_as why: usage
// (the provider's count), overrun (the same, above the worst case), nothing
// (not sent, or refused), estimated (answered without a count: the worst case),
// unknown (broken off after sending: the worst case), orphan, held, released
// (an orphan that counts no more).
#pragma once

#include "base/result.h"
#include "store/database.h"

namespace llmroute::store {

inline constexpr int64_t kSchemaVersion = 3;

// In an empty database.
base::Status create_schema(Database& database);

// Whether it is a ledger that this program may write: ours, of this version,
// with no trigger and no table or view other than as they were created.
// Otherwise kIo, saying what is wrong; nothing is altered.
base::Status check_schema(Database& database);

}  // namespace llmroute::store
