#include "store/statistics.h"

#include "core/breaker.h"
#include "store/columns.h"

namespace llmroute::store {
namespace {

using base::Result;
using base::Status;

template <class Row, class Visit>
void each_statistics_column(Row& row, Visit&& visit) {
  visit("model", row.model);
  visit("provider", row.provider);
  visit("origin", row.origin);
  visit("calls", row.calls);
  visit("answered", row.answered);
  visit("time", row.time);
  visit("at_call", row.at_call);
  visit("fast_weight", row.fast_weight);
  visit("fast_first_s", row.fast_first);
  visit("fast_tokens", row.fast_tokens);
  visit("fast_token_s", row.fast_seconds);
  visit("slow_weight", row.slow_weight);
  visit("slow_first_s", row.slow_first);
  visit("slow_tokens", row.slow_tokens);
  visit("slow_token_s", row.slow_seconds);
  visit("log_weight", row.log_weight);
  visit("log_sum", row.log_sum);
  visit("log_squares", row.log_squares);
  visit("begun", row.begun);
  visit("begin_weight", row.begin_weight);
  visit("begin_sum", row.begin_sum);
  visit("begin_squares", row.begin_squares);
  visit("breaker", row.breaker);
  visit("probe_until", row.probe_until);
  visit("hold_until", row.hold_until);
  visit("last_error", row.last_error);
  visit("last_error_time", row.last_error_time);
}

// "?,?,?", or the columns' names.
std::string columns(bool marks) {
  std::string text;
  const StatisticsRow row;
  each_statistics_column(row, [&](std::string_view name, const auto&) {
    if (!text.empty()) text += ',';
    text += marks ? "?" : name;
  });
  return text;
}

}  // namespace

Result<std::vector<StatisticsRow>> read_statistics(Database& database) {
  static const std::string sql =
      "SELECT " + columns(false) + " FROM statistics";
  LLMROUTE_TRY(Statement statement, database.prepare(sql));
  std::vector<StatisticsRow> rows;
  for (;;) {
    LLMROUTE_TRY(const bool more, statement.step());
    if (!more) return rows;
    each_statistics_column(rows.emplace_back(), Reader(statement));
  }
}

Result<StatisticsRow> find_statistics(Database& database,
                                      const StatisticsKey& key) {
  static const std::string sql =
      "SELECT " + columns(false) +
      " FROM statistics WHERE model=? AND provider=? AND origin=?";
  LLMROUTE_TRY(Statement statement, database.prepare(sql));
  statement.bind(0, key.model).bind(1, key.provider).bind(2, key.origin);
  LLMROUTE_TRY(const bool found, statement.step());
  StatisticsRow row;
  row.model = key.model;
  row.provider = key.provider;
  row.origin = key.origin;
  if (found) each_statistics_column(row, Reader(statement));
  return row;
}

Status put_statistics(Database& database, const StatisticsRow& row) {
  static const std::string sql = "INSERT OR REPLACE INTO statistics(" +
                                 columns(false) + ") VALUES(" + columns(true) +
                                 ")";
  LLMROUTE_TRY(Statement statement, database.prepare(sql));
  each_statistics_column(row, Binder(statement));
  return statement.run();
}

Result<int64_t> counted_calls(Database& database) {
  static const std::string sql =
      "SELECT sum(calls) FROM statistics WHERE calls BETWEEN 0 AND " +
      std::to_string(kMostCalls);
  LLMROUTE_TRY(const auto calls, database.integer(sql));
  return calls.value_or(0);
}

Result<bool> claim_probe(Ledger& ledger, const StatisticsKey& key,
                         int64_t now) {
  using core::Breaker;
  Database& database = ledger.database();
  LLMROUTE_TRY(Transaction transaction, Transaction::begin(database));
  LLMROUTE_TRY(StatisticsRow row, find_statistics(database, key));
  const Breaker::Time time{std::chrono::milliseconds(now)};
  const auto breaker = Breaker::unpack(row.breaker, time);
  const auto state = breaker ? breaker->state(time) : Breaker::State::kClosed;
  if (state != Breaker::State::kHalfOpen) {
    return state == Breaker::State::kClosed;
  }
  // One that lies further ahead comes from a wrong clock.
  if (row.probe_until > now && row.probe_until <= now + kProbeLease) {
    return false;
  }
  row.probe_until = now + kProbeLease;
  LLMROUTE_CHECK(put_statistics(database, row));
  LLMROUTE_CHECK(transaction.commit());
  return true;
}

}  // namespace llmroute::store
