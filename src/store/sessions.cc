#include "store/sessions.h"

namespace llmroute::store {

using base::Result;
using base::Status;

Result<std::optional<SessionRow>> find_session(Database& database,
                                               const std::string& name) {
  LLMROUTE_TRY(Statement find,
               database.prepare(
                   "SELECT time, model, tokens FROM sessions WHERE name=?"));
  LLMROUTE_TRY(const bool found, find.bind(0, name).step());
  if (!found) return std::optional<SessionRow>();
  return std::optional(
      SessionRow{name, find.integer(0), find.text(1), find.integer(2)});
}

Status put_session(Database& database, const SessionRow& row) {
  LLMROUTE_TRY(Statement put,
               database.prepare("INSERT OR REPLACE INTO sessions"
                                "(name, time, model, tokens) VALUES(?,?,?,?)"));
  put.bind(0, row.name).bind(1, row.time).bind(2, row.model);
  return put.bind(3, row.tokens).run();
}

}  // namespace llmroute::store
