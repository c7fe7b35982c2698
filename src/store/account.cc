#include "store/account.h"

#include <algorithm>

#include "base/json_writer.h"
#include "store/columns.h"
#include "store/scopes.h"

namespace llmroute::store {
namespace {

using base::Result;
using base::Status;

// All but its number, which is 1, and whether it is a hedge, which it is not.
template <class Visit>
void each_call_column(const AttemptRow& row, Visit&& visit) {
  each_attempt_column(row, [&](const char* name, const auto& value) {
    const std::string_view column = name;
    if (column != "number" && column != "hedge") visit(name, value);
  });
}

std::string decision_insert() {
  std::string names, marks;
  DecisionRow row;
  each_decision_column(row, [&](std::string_view name, const auto&) {
    const char* comma = names.empty() ? "" : ",";
    names.append(comma).append(name);
    marks.append(comma).append("?");
  });
  AttemptRow only;
  each_call_column(only, [&](std::string_view name, const auto&) {
    names.append(",call_").append(name);
    marks += ",?";
  });
  return "INSERT INTO decisions(" + names + ") VALUES(" + marks +
         ") ON CONFLICT(id) DO NOTHING";
}

// The same parameters as to insert it.
std::string decision_update() {
  std::string updates;
  int parameter = 0;
  DecisionRow row;
  each_decision_column(row, [&](std::string_view name, const auto&) {
    ++parameter;
    if (name == "id" || name == "time") return;
    if (!updates.empty()) updates += ',';
    updates.append(name).append("=?").append(std::to_string(parameter));
  });
  return "UPDATE decisions SET " + updates + " WHERE id=?1";
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

std::string attempt_put() {
  const std::string names = attempt_columns();
  std::string marks = "?,?,?,?,?";
  for (const char c : names) {
    if (c == ',') marks += ",?";
  }
  return "INSERT OR REPLACE INTO attempts_apart(decision,time,owner,scopes," +
         names + ") VALUES(" + marks + ")";
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

Result<bool> put_decision(Database& database, const DecisionRow& decision,
                          const AttemptRow* only) {
  static const std::string insert = decision_insert();
  LLMROUTE_TRY(Statement statement, database.prepare(insert));
  Binder bind(statement);
  each_decision_column(decision, bind);
  if (only != nullptr) each_call_column(*only, bind);
  LLMROUTE_CHECK(statement.run());
  if (database.changes() > 0) return true;
  static const std::string update = decision_update();
  LLMROUTE_TRY(Statement again, database.prepare(update));
  each_decision_column(decision, Binder(again));
  LLMROUTE_CHECK(again.run());
  return false;
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
  static const std::string put = attempt_put();
  LLMROUTE_TRY(Statement statement, database.prepare(put));
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

}  // namespace llmroute::store
