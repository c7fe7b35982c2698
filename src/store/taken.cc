#include "store/taken.h"

#include "store/columns.h"

namespace llmroute::store {
namespace {

std::string taken_sql() {
  std::string columns;
  DecisionRow row;
  each_decision_column(row, [&](std::string_view name, const auto&) {
    columns.append("d.").append(name).append(",");
  });
  return "SELECT " + columns +
         "coalesce((SELECT sum(coalesce(cost_pico,likely_pico,0)) FROM"
         " attempts WHERE decision=d.id),0), a.input_tokens, a.output_tokens, "
         "a.cached_tokens,"
         " a.cache_write_tokens FROM decisions d LEFT JOIN attempts a ON"
         " a.decision=d.id AND a.number=(SELECT max(number) FROM attempts WHERE"
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
    reader("cost", taken.cost_pico);
    reader("input", taken.input_tokens);
    reader("output", taken.output_tokens);
    reader("cached", taken.cached_tokens);
    reader("cache_write", taken.cache_write_tokens);
    LLMROUTE_CHECK(visit(taken));
  }
}

}  // namespace llmroute::store
