#include "app/model_record.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/experience.h"
#include "app/ledger_place.h"
#include "base/clock.h"
#include "base/date.h"

namespace llmroute::app {
namespace {

using core::Breaker;

void add_breaker(const store::StatisticsRow& row, int64_t now,
                 ModelRecord& record) {
  record.left_alone_ms = std::max<int64_t>(0, row.hold_until - now);
  const auto breaker = Breaker::unpack(row.breaker, breaker_time(now));
  if (!breaker) return;
  switch (breaker->state(breaker_time(now))) {
    case Breaker::State::kClosed:
      return;
    case Breaker::State::kHalfOpen:
      record.breaker = "half-open";
      return;
    case Breaker::State::kOpen:
      record.breaker = "open";
      const auto until = std::chrono::duration_cast<std::chrono::milliseconds>(
          breaker->until().time_since_epoch());
      record.left_alone_ms =
          std::max<int64_t>(record.left_alone_ms, until.count() - now);
  }
}

ModelRecord record_of(const store::StatisticsRow& row, int64_t now) {
  ModelRecord record;
  record.calls = std::max<int64_t>(0, row.calls);
  record.answered = std::clamp<int64_t>(row.answered, 0, record.calls);
  const learning::Speed speed = speed_of(row);
  if (speed.sane()) {
    record.p50 = speed.whole.quantile(learning::kMedian);
    record.p90 = speed.whole.quantile(learning::kNinetyPercent);
  }
  record.last_error = row.last_error;
  record.last_error_time = row.last_error_time;
  add_breaker(row, now, record);
  return record;
}

base::Status add_spending(store::Database& database,
                          std::map<std::string, ModelRecord>& records) {
  LLMROUTE_TRY(store::Statement sums,
               database.prepare("SELECT model, sum(cost_pico+likely_pico) FROM "
                                "daily GROUP BY model"));
  for (;;) {
    LLMROUTE_TRY(const bool more, sums.step());
    if (!more) return {};
    records[sums.text(0)].spent = core::Money{sums.integer(1)};
  }
}

void write_seconds(base::JsonWriter& json, std::string_view key,
                   const std::optional<double>& seconds) {
  json.key(key);
  seconds ? json.raw(fmt::format("{:.3f}", *seconds)) : json.null();
}

}  // namespace

std::map<std::string, ModelRecord> read_model_records(
    const core::Config& config, const LedgerOptions& options,
    const base::Environment& environment) {
  std::map<std::string, ModelRecord> records;
  auto ledger = open_at_decision(options, environment, false);
  if (!ledger) return records;
  const auto rows = store::read_statistics(ledger->database());
  if (!rows) return records;
  const int64_t now = wall_ms();
  for (const store::StatisticsRow& row : *rows) {
    if (is_of(config, row)) records[row.model] = record_of(row, now);
  }
  (void)add_spending(ledger->database(), records);
  return records;
}

void write_record(base::JsonWriter& json, const ModelRecord* record) {
  if (record == nullptr) return (void)json.null();
  json.begin_object().field("calls", record->calls);
  json.field("answered", record->answered).key("success_rate");
  record->calls > 0
      ? json.raw(fmt::format("{:.4f}", static_cast<double>(record->answered) /
                                           static_cast<double>(record->calls)))
      : json.null();
  write_seconds(json, "p50_seconds", record->p50);
  write_seconds(json, "p90_seconds", record->p90);
  json.field("breaker", record->breaker);
  json.field("left_alone_ms", record->left_alone_ms);
  json.field("last_error", record->last_error).key("last_error_time");
  record->last_error_time
      ? json.value(base::format_utc(base::moment_of(*record->last_error_time)))
      : json.null();
  json.key("spent_usd").raw(core::format_usd(record->spent));
  json.end_object();
}

}  // namespace llmroute::app
