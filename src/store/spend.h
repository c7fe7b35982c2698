// What attempts cost together: sums for reports, as the table `daily` keeps
// them by day, model, provider, route, profile and tags.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/money.h"
#include "store/database.h"
#include "store/grouping.h"
#include "store/rows.h"

namespace llmroute::store {

// Money in picodollars. What is not known adds nothing to a sum; the counts
// say how often that was so.
struct Spend {
  int64_t calls = 0, answered = 0, ms = 0;
  int64_t input_tokens = 0, cached_tokens = 0, cache_write_tokens = 0,
          output_tokens = 0;
  int64_t cost_pico = 0;     // where it is known
  int64_t charged_pico = 0;  // counts against ceilings
  int64_t likely_pico = 0;   // of calls whose cost is not known
  int64_t unknown = 0;       // calls whose cost is not known
  int64_t estimated = 0;     // of them: answered, but no count or no price
  int64_t orphans = 0;       // of them: their process died
  // Answered calls that can be compared with everything on the strongest or on
  // the cheapest candidate, and with any model (their tokens are known); what
  // those and all that failed cost or are likely to have cost.
  int64_t strongest_pico = 0, cheapest_pico = 0;
  int64_t compared = 0, compared_pico = 0;
  int64_t counted = 0, counted_pico = 0;
};

// visit(name, member) for every column, in the order of the table.
template <class Row, class Visit>
void each_spend_column(Row& row, Visit&& visit) {
  visit("calls", row.calls);
  visit("answered", row.answered);
  visit("ms", row.ms);
  visit("input_tokens", row.input_tokens);
  visit("cached_tokens", row.cached_tokens);
  visit("cache_write_tokens", row.cache_write_tokens);
  visit("output_tokens", row.output_tokens);
  visit("cost_pico", row.cost_pico);
  visit("charged_pico", row.charged_pico);
  visit("likely_pico", row.likely_pico);
  visit("unknown", row.unknown);
  visit("estimated", row.estimated);
  visit("orphans", row.orphans);
  visit("strongest_pico", row.strongest_pico);
  visit("cheapest_pico", row.cheapest_pico);
  visit("compared", row.compared);
  visit("compared_pico", row.compared_pico);
  visit("counted", row.counted);
  visit("counted_pico", row.counted_pico);
}

inline int64_t saturating_add(int64_t a, int64_t b) {
  return (core::Money{a} + core::Money{b}).pico;
}

// With sign -1 it is taken away.
void add(Spend& sum, const Spend& other, int sign = 1);

// One attempt that has ended.
Spend spend_of(const AttemptRow& attempt);

struct SpendRow {
  std::vector<std::string> keys;  // one for each grouping
  Spend spend;
};

// Sums from the first to the last day ("2026-11-28"), both included, in the
// order of their keys. Without groupings: one row.
base::Result<std::vector<SpendRow>> spending(Database& database,
                                             const std::vector<Grouping>& by,
                                             const std::string& first,
                                             const std::string& last);

// What is held, by calls under way and by those whose process has died.
struct HeldSums {
  int64_t calls = 0, pico = 0;
  int64_t dead_calls = 0, dead_pico = 0;
};
base::Result<HeldSums> held(Database& database);

// The counters of a scope; zeros if nothing has counted in it.
struct ScopeSums {
  int64_t settled_pico = 0, held_pico = 0;
};
base::Result<ScopeSums> scope_sums(Database& database, const std::string& name);

}  // namespace llmroute::store
