#include "store/account.h"

#include <algorithm>

#include "base/json_writer.h"
#include "store/columns.h"
#include "store/scopes.h"
#include "store/spend.h"

namespace llmroute::store {
namespace {

using base::Result;
using base::Status;

std::string decision_upsert() {
  std::string names, marks, updates;
  DecisionRow row;
  each_decision_column(row, [&](std::string_view name, const auto&) {
    const char* comma = names.empty() ? "" : ",";
    names.append(comma).append(name);
    marks.append(comma).append("?");
    if (name == "id" || name == "time") return;
    if (!updates.empty()) updates += ',';
    updates.append(name).append("=excluded.").append(name);
  });
  return "INSERT INTO decisions(" + names + ") VALUES(" + marks +
         ") ON CONFLICT(id) DO UPDATE SET " + updates;
}

std::string attempt_columns() {
  std::string names;
  AttemptRow row;
  each_attempt_column(row, [&](std::string_view name, const auto&) {
    if (!names.empty()) names += ',';
    names += name;
  });
  return names;
}

std::string attempt_insert() {
  const std::string names = attempt_columns();
  std::string marks = "?,?,?,?,?";
  for (const char c : names) {
    if (c == ',') marks += ",?";
  }
  return "INSERT OR REPLACE INTO attempts(decision,time,owner,scopes," + names +
         ") VALUES(" + marks + ")";
}

std::string daily_upsert() {
  std::string marks = "?,?,?,?,?,?", updates;
  Spend none;
  each_spend_column(none, [&](std::string_view name, int64_t) {
    marks += ",?";
    if (!updates.empty()) updates += ',';
    updates.append(name).append("=").append(name);
    updates.append("+excluded.").append(name);
  });
  return "INSERT INTO daily VALUES(" + marks + ") ON CONFLICT DO UPDATE SET " +
         updates;
}

void bind_or_null(Statement& statement, int parameter,
                  const std::string& text) {
  text.empty() ? statement.bind_null(parameter)
               : statement.bind(parameter, text);
}

}  // namespace

Result<int64_t> ledger_time(Database& database, int64_t now) {
  LLMROUTE_TRY(
      const auto newest,
      database.integer("SELECT time FROM decisions ORDER BY id DESC LIMIT 1"));
  return std::max(now, newest.value_or(now));
}

Status put_decision(Database& database, const DecisionRow& decision) {
  static const std::string sql = decision_upsert();
  LLMROUTE_TRY(Statement statement, database.prepare(sql));
  each_decision_column(decision, Binder(statement));
  return statement.run();
}

Result<std::vector<std::string>> tags_of(Database& database,
                                         const DecisionRow& decision) {
  std::vector<std::string> tags;
  if (decision.tags == "{}") return tags;
  LLMROUTE_TRY(
      Statement statement,
      database.prepare("SELECT key || '=' || value FROM json_each(?)"));
  statement.bind(0, decision.tags);
  for (;;) {
    LLMROUTE_TRY(const bool more, statement.step());
    if (!more) return tags;
    tags.push_back(statement.text(0));
  }
}

Result<std::optional<KeptAttempt>> find_attempt(Database& database,
                                                const std::string& decision,
                                                int64_t number) {
  static const std::string sql =
      "SELECT " + attempt_columns() +
      ",time,owner,scopes FROM attempts WHERE decision=? AND number=?";
  LLMROUTE_TRY(Statement statement, database.prepare(sql));
  statement.bind(0, decision).bind(1, number);
  LLMROUTE_TRY(const bool found, statement.step());
  if (!found) return std::optional<KeptAttempt>();
  KeptAttempt kept;
  Reader reader(statement);
  each_attempt_column(kept.row, reader);
  reader("time", kept.time);
  reader("owner", kept.owner);
  reader("scopes", kept.scopes);
  return std::optional(std::move(kept));
}

Status put_attempt(Database& database, const std::string& decision,
                   const KeptAttempt& attempt) {
  static const std::string sql = attempt_insert();
  LLMROUTE_TRY(Statement statement, database.prepare(sql));
  statement.bind(0, decision).bind(1, attempt.time);
  bind_or_null(statement, 2, attempt.owner);
  bind_or_null(statement, 3, attempt.scopes);
  each_attempt_column(attempt.row, Binder(statement, 4));
  return statement.run();
}

Result<std::string> scopes_of(Database& database, const DecisionRow& decision,
                              int64_t time) {
  LLMROUTE_TRY(std::vector<std::string> tags, tags_of(database, decision));
  tags.insert(tags.begin(), "");
  base::JsonWriter json;
  json.begin_array();
  for (const std::string& tag : tags) {
    json.value(scope_name(Window::kDay, tag, time, ""));
    json.value(scope_name(Window::kMonth, tag, time, ""));
  }
  if (decision.run) {
    json.value(scope_name(Window::kRun, "", time, *decision.run));
  }
  json.end_array();
  return json.take();
}

Status add_to_scopes(Database& database, const std::string& scopes,
                     int64_t settled, int64_t held) {
  LLMROUTE_TRY(
      Statement statement,
      database.prepare("INSERT INTO scopes(name, settled_pico, held_pico)"
                       " SELECT value, ?1, ?2 FROM json_each(?3) WHERE true"
                       " ON CONFLICT(name) DO UPDATE SET"
                       " settled_pico=settled_pico+excluded.settled_pico,"
                       " held_pico=held_pico+excluded.held_pico"));
  return statement.bind(0, settled).bind(1, held).bind(2, scopes).run();
}

Result<DecisionRow> grouping_of(Database& database, const std::string& id) {
  LLMROUTE_TRY(Statement statement,
               database.prepare("SELECT route, profile, tags, run FROM "
                                "decisions WHERE id=?"));
  DecisionRow decision;
  decision.id = id;
  LLMROUTE_TRY(const bool found, statement.bind(0, id).step());
  if (found) {
    decision.route = statement.text(0);
    decision.profile = statement.text(1);
    decision.tags = statement.text(2);
    if (!statement.is_null(3)) decision.run = statement.text(3);
  }
  return decision;
}

Status add_to_daily(Database& database, const DecisionRow& decision,
                    const KeptAttempt& attempt, int sign) {
  static const std::string sql = daily_upsert();
  LLMROUTE_TRY(Statement statement, database.prepare(sql));
  const AttemptRow& row = attempt.row;
  statement.bind(0, day_of(attempt.time)).bind(1, row.model);
  statement.bind(2, row.provider).bind(3, decision.route);
  statement.bind(4, decision.profile).bind(5, decision.tags);
  int parameter = 6;
  const Spend spend = spend_of(row);
  each_spend_column(spend, [&](std::string_view, int64_t amount) {
    statement.bind(parameter++, sign * amount);
  });
  return statement.run();
}

}  // namespace llmroute::store
