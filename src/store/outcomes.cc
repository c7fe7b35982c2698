#include "store/outcomes.h"

#include "store/verdicts_sql.h"

namespace llmroute::store {
namespace {

using base::Result;

std::string outcomes() {
  return "SELECT j.decision, j.domain, j.difficulty, j.model, j.score, " +
         std::string(kCostOfAll) + ", coalesce(d.ms, 0) FROM (" +
         std::string(kVerdicts) +
         ") j JOIN decisions d ON d.id=j.decision WHERE j.domain IS NOT NULL"
         " AND j.difficulty IS NOT NULL AND j.model IS NOT NULL"
         " ORDER BY j.decision, j.model";
}

}  // namespace

Result<std::vector<OutcomeRow>> read_outcomes(Database& database) {
  LLMROUTE_TRY(Statement statement, database.prepare(outcomes()));
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
