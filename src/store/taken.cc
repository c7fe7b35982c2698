#include "store/taken.h"

#include "store/columns.h"
#include "store/verdicts_sql.h"

namespace llmroute::store {
namespace {

std::string taken_sql() {
  std::string columns;
  DecisionRow row;
  each_decision_column(row, [&](std::string_view name, const auto&) {
    columns.append("d.").append(name).append(",");
  });
  // Of the last attempt that answered, apart or beside its decision.
  for (const char* name : {"input_tokens", "output_tokens", "cached_tokens",
                           "cache_write_tokens"}) {
    columns.append("CASE WHEN a.number IS NOT NULL THEN a.").append(name);
    columns.append(" WHEN d.call_state='answered' THEN d.call_");
    columns.append(name).append(" END,");
  }
  return "SELECT " + columns + "coalesce(" + std::string(kCostOfAll) +
         ",0) FROM decisions d LEFT JOIN attempts_apart a ON a.decision=d.id"
         " AND a.number=(SELECT max(number) FROM attempts_apart WHERE"
         " decision=d.id AND state='answered') WHERE d.id BETWEEN ? AND ?"
         " ORDER BY d.id";
}

}  // namespace

base::Status each_taken(
    Database& database, const std::string& first, const std::string& last,
    const std::function<base::Status(const TakenDecision&)>& visit) {
  LLMROUTE_TRY(Statement statement, database.prepare(taken_sql()));
  statement.bind(0, first).bind(1, last);
  for (;;) {
    LLMROUTE_TRY(const bool more, statement.step());
    if (!more) return {};
    TakenDecision taken;
    Reader reader(statement);
    each_decision_column(taken.row, reader);
    reader("input", taken.input_tokens);
    reader("output", taken.output_tokens);
    reader("cached", taken.cached_tokens);
    reader("cache_write", taken.cache_write_tokens);
    reader("cost", taken.cost_pico);
    LLMROUTE_CHECK(visit(taken));
  }
}

}  // namespace llmroute::store
