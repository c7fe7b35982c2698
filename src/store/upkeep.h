// Care of a ledger: counters recomputed, holds of the dead given up, old rows
// forgotten. Nothing of this happens by itself, but that rows of more than
// kKeptDays go, a few with each call.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/ledger.h"

namespace llmroute::store {

inline constexpr int64_t kKeptDays = 400;

// Recomputes the counters of ceilings and the daily sums from the attempts and
// corrects what is wrong: its names. What was purged cannot be recomputed and
// stays. kIo: the file is damaged, which nothing here repairs.
base::Result<std::vector<std::string>> recount(Ledger& ledger);

struct Released {
  int64_t calls = 0, pico = 0;
};
// Calls whose process died count no more, although they may have been paid:
// their worst case is taken back. They stay as orphans, charged as "released".
base::Result<Released> release_orphans(Ledger& ledger);

// Deletes decisions that were made before `time` (ms), all that belongs to them
// and snapshots that none needs, overwriting them, and gives the space back.
// Daily sums and what is held stay. How many.
base::Result<int64_t> purge(Ledger& ledger, int64_t time);

// Deletes a few decisions that are older than kKeptDays at `now`.
base::Status forget_oldest(Ledger& ledger, int64_t now);

}  // namespace llmroute::store
