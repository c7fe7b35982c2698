// Statistics of models, one row a model and place where it is served: sums that
// are added to within the transaction that records a call, so that processes
// merge exactly. What the sums mean is the learner's affair.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/ledger.h"
#include "store/rows.h"

namespace llmroute::store {

struct StatisticsRow {
  std::string model, provider;
  std::string origin;  // the endpoint's address, or a command
  int64_t calls = 0, answered = 0;
  int64_t time = 0;     // ms, of the last call
  int64_t at_call = 0;  // calls of all models before the last
  // learning/latency.h, in the order of its members
  double fast_weight = 0, fast_first = 0, fast_tokens = 0, fast_seconds = 0;
  double slow_weight = 0, slow_first = 0, slow_tokens = 0, slow_seconds = 0;
  double log_weight = 0, log_sum = 0, log_squares = 0;
  int64_t begun = 0;  // calls whose first word, or silence, was timed
  double begin_weight = 0, begin_sum = 0, begin_squares = 0;
  std::string breaker;      // core::Breaker::pack(), in ms since 1970
  int64_t probe_until = 0;  // ms: a process asks it while its breaker is
                            // half-open
  int64_t hold_until = 0;   // ms: it asked to wait
  Text last_error;
  Integer last_error_time;  // ms
};

// Of calls or answers; others come from none, and count as none.
inline constexpr int64_t kMostCalls = 1'000'000'000'000;
inline bool is_count(int64_t number) {
  return number >= 0 && number <= kMostCalls;
}

struct StatisticsKey {
  std::string model, provider, origin;
};

base::Result<std::vector<StatisticsRow>> read_statistics(Database& database);
// A new row if there is none.
base::Result<StatisticsRow> find_statistics(Database& database,
                                            const StatisticsKey& key);
base::Status put_statistics(Database& database, const StatisticsRow& row);

// Calls of all models so far.
base::Result<int64_t> counted_calls(Database& database);

// Whether this process may ask a model whose breaker was open: if the breaker
// is closed by now, or half-open and no process asks it already. Then the
// others leave it alone for kProbeLease, or until the call is learned from.
base::Result<bool> claim_probe(Ledger& ledger, const StatisticsKey& key,
                               int64_t now);
inline constexpr int64_t kProbeLease = 30'000;  // ms

}  // namespace llmroute::store
