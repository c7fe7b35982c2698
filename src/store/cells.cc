#include "store/cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/cell.h"
#include "store/verdicts_sql.h"

namespace llmroute::store {
namespace {

using base::Result;
using base::Status;

Result<std::optional<JudgedCell>> judged_by(Statement& statement,
                                            const std::string& decision) {
  LLMROUTE_TRY(const bool found, statement.step());
  if (!found) {
    return base::Error{
        base::ErrorKind::kNoInput,
        fmt::format("the ledger has no decision '{}'", decision)};
  }
  for (const int column : {0, 1, 2}) {
    if (statement.is_null(column)) return std::optional<JudgedCell>();
  }
  return std::optional(JudgedCell{
      statement.text(0), core::level_of(statement.real(1)), statement.text(2)});
}

// Verdicts in the cell so far, on all models.
Result<int64_t> count_in(Database& database, const JudgedCell& cell) {
  LLMROUTE_TRY(Statement sum,
               database.prepare("SELECT sum(max(verdicts, 0)) FROM cells"
                                " WHERE domain=? AND level=?"));
  LLMROUTE_TRY(const bool found,
               sum.bind(0, cell.domain).bind(1, int64_t{cell.level}).step());
  return found ? sum.integer(0) : 0;
}

Result<CellRow> find_cell(Database& database, const JudgedCell& cell) {
  LLMROUTE_TRY(Statement find,
               database.prepare("SELECT verdicts, good, bad, at_verdict FROM "
                                "cells WHERE domain=? AND level=? AND "
                                "model=?"));
  find.bind(0, cell.domain).bind(1, int64_t{cell.level}).bind(2, cell.model);
  LLMROUTE_TRY(const bool found, find.step());
  CellRow row{cell.domain, cell.level, cell.model, 0, {}};
  if (!found) return row;
  row.count = std::max<int64_t>(0, find.integer(0));
  row.verdicts = {find.real(1), find.real(2), find.real(3)};
  return row;
}

Status put_cell(Database& database, const CellRow& row) {
  LLMROUTE_TRY(Statement put,
               database.prepare(
                   "INSERT OR REPLACE INTO cells(domain, level, model,"
                   " verdicts, good, bad, at_verdict) VALUES(?,?,?,?,?,?,?)"));
  put.bind(0, row.domain).bind(1, int64_t{row.level}).bind(2, row.model);
  put.bind(3, row.count).bind(4, row.verdicts.good).bind(5, row.verdicts.bad);
  return put.bind(6, static_cast<int64_t>(row.verdicts.at)).run();
}

// Every verdict in the cell, the oldest first.
std::string verdicts_in() {
  const std::string given = std::string(kVerdicts);
  return "SELECT difficulty, model, score FROM (" + given +
         ") WHERE domain=?1 AND model IS NOT NULL ORDER BY time";
}

Status add_up_again(Database& database, const JudgedCell& cell) {
  static const std::string sql = verdicts_in();
  LLMROUTE_TRY(Statement given, database.prepare(sql));
  given.bind(0, cell.domain);
  std::map<std::string, CellRow> rows;
  int64_t count = 0;
  for (;;) {
    LLMROUTE_TRY(const bool more, given.step());
    if (!more) break;
    if (core::level_of(given.real(0)) != cell.level) continue;
    const std::string model = given.text(1);
    CellRow& row = rows[model];
    row.domain = cell.domain;
    row.level = cell.level;
    row.model = model;
    ++row.count;
    row.verdicts.add(given.real(2), static_cast<double>(count++));
  }
  for (const auto& [model, row] : rows) {
    LLMROUTE_CHECK(put_cell(database, row));
  }
  return {};
}

}  // namespace

Result<std::vector<CellRow>> read_cells(Database& database) {
  LLMROUTE_TRY(Statement statement,
               database.prepare("SELECT domain, level, model, verdicts, good,"
                                " bad, at_verdict FROM cells"));
  std::vector<CellRow> rows;
  for (;;) {
    LLMROUTE_TRY(const bool more, statement.step());
    if (!more) return rows;
    rows.push_back({statement.text(0),
                    static_cast<int>(statement.integer(1)),
                    statement.text(2),
                    statement.integer(3),
                    {statement.real(4), statement.real(5), statement.real(6)}});
  }
}

Result<std::optional<JudgedCell>> judged_answer(Database& database,
                                                const std::string& decision) {
  LLMROUTE_TRY(
      Statement find,
      database.prepare("SELECT domain, difficulty, (SELECT model FROM attempts"
                       " WHERE decision=?1 AND state='answered'"
                       " ORDER BY number DESC) FROM decisions WHERE id=?1"));
  find.bind(0, decision);
  return judged_by(find, decision);
}

Result<std::optional<JudgedCell>> judged_attempt(Database& database,
                                                 const std::string& decision,
                                                 int64_t number) {
  LLMROUTE_TRY(
      Statement find,
      database.prepare("SELECT d.domain, d.difficulty, a.model FROM attempts a"
                       " JOIN decisions d ON d.id=a.decision WHERE"
                       " a.decision=? AND a.number=?"));
  find.bind(0, decision).bind(1, number);
  return judged_by(find, decision);
}

Status learn_verdict(Database& database, const JudgedCell& judged, double score,
                     bool again) {
  if (again) return add_up_again(database, judged);
  LLMROUTE_TRY(const int64_t count, count_in(database, judged));
  LLMROUTE_TRY(CellRow row, find_cell(database, judged));
  ++row.count;
  row.verdicts.add(score, static_cast<double>(count));
  return put_cell(database, row);
}

}  // namespace llmroute::store
