#include "store/outcomes.h"

namespace llmroute::store {
namespace {

using base::Result;

constexpr std::string_view kOutcomes =
    "WITH judged AS ("
    "SELECT f.decision AS id, a.model AS model, f.score AS score"
    " FROM feedback f JOIN attempts a ON a.decision=f.decision AND a.number="
    " (SELECT max(number) FROM attempts WHERE decision=f.decision"
    " AND state='answered') UNION ALL "
    "SELECT v.decision, a.model, v.score FROM verdicts v"
    " JOIN attempts a ON a.decision=v.decision AND a.number=v.number)"
    "SELECT j.id, d.domain, d.difficulty, j.model, j.score,"
    " (SELECT sum(coalesce(cost_pico,likely_pico)) FROM attempts"
    " WHERE decision=j.id),"
    " coalesce(d.ms, 0) FROM judged j JOIN decisions d ON d.id=j.id"
    " WHERE d.domain IS NOT NULL AND d.difficulty IS NOT NULL"
    " ORDER BY j.id, j.model";

}  // namespace

Result<std::vector<OutcomeRow>> read_outcomes(Database& database) {
  LLMROUTE_TRY(Statement statement, database.prepare(kOutcomes));
  std::vector<OutcomeRow> rows;
  for (;;) {
    LLMROUTE_TRY(const bool more, statement.step());
    if (!more) return rows;
    OutcomeRow& row = rows.emplace_back();
    row.decision = statement.text(0);
    row.domain = statement.text(1);
    row.difficulty = statement.real(2);
    row.model = statement.text(3);
    row.score = statement.real(4);
    if (!statement.is_null(5)) row.cost_pico = statement.integer(5);
    row.ms = statement.integer(6);
  }
}

}  // namespace llmroute::store
