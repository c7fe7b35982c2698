#include "store/upkeep.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/date.h"
#include "store/account.h"
#include "store/holds.h"
#include "store/scopes.h"
#include "store/spend.h"
#include "store/tally.h"

namespace llmroute::store {
namespace {

using base::Result;
using base::Status;

constexpr int64_t kDay = 86'400'000;  // ms

// Of the first day of which no row has been deleted; "" if none ever was.
Result<std::string> whole_since(Database& database) {
  LLMROUTE_TRY(
      const auto day,
      database.text("SELECT value FROM meta WHERE name='whole_since'"));
  return day.value_or("");
}

Status not_whole_before(Database& database, int64_t time) {
  LLMROUTE_TRY(Statement put,
               database.prepare(
                   "INSERT INTO meta VALUES('whole_since', ?) ON CONFLICT(name)"
                   " DO UPDATE SET value=max(value, excluded.value)"));
  const int64_t next = (time + kDay - 1) / kDay * kDay;
  return put.bind(0, day_of(next)).run();
}

Result<std::vector<std::string>> texts(Statement& statement) {
  std::vector<std::string> all;
  for (;;) {
    LLMROUTE_TRY(const bool more, statement.step());
    if (!more) return all;
    all.push_back(statement.text(0));
  }
}

// --- counters ----------------------------------------------------------------

// ?1: whole_since(). A scope whose attempts are all there still.
constexpr char kRecountable[] =
    "CASE WHEN name LIKE 'run/%' THEN ?1=''"
    " WHEN substr(name,-14,4)='day/' THEN substr(name,-10)>=?1"
    " ELSE substr(name,-7)||'-01'>=?1 END";

Status run_with(Database& database, const std::string& sql,
                const std::string& value) {
  LLMROUTE_TRY(Statement statement, database.prepare(sql));
  return statement.bind(0, value).run();
}

// Adds every attempt that is there as if it had just come.
Status count_all(Database& database, const std::string& since) {
  constexpr int kAtOnce = 1000;  // a ledger may have a group for each of them
  LLMROUTE_TRY(Statement all,
               database.prepare("SELECT decision, number FROM attempts"));
  Tally tally;
  for (int count = 1;; ++count) {
    if (count % kAtOnce == 0) {
      LLMROUTE_CHECK(tally.write(database));
      tally = {};
    }
    LLMROUTE_TRY(const bool more, all.step());
    if (!more) return tally.write(database);
    const std::string id = all.text(0);
    LLMROUTE_TRY(const auto kept, find_attempt(database, id, all.integer(1)));
    LLMROUTE_TRY(const DecisionRow decision, grouping_of(database, id));
    const bool held = kept->row.state == "held";
    const int64_t charged = kept->row.charged_pico;
    LLMROUTE_CHECK(tally.add_money(database, decision, kept->time,
                                   held ? 0 : charged, held ? charged : 0));
    if (held || day_of(kept->time) < since) continue;
    tally.add_attempt(decision, kept->row, kept->time, 1);
  }
}

// Names of what is not the same in both, as `name` says.
Result<std::vector<std::string>> differing(Database& database,
                                           const std::string& table,
                                           const std::string& name,
                                           const std::string& counts) {
  const std::string now = "SELECT * FROM main." + table + " WHERE " + counts;
  const std::string was =
      "SELECT * FROM temp.old_" + table + " WHERE " + counts;
  LLMROUTE_TRY(Statement statement,
               database.prepare("SELECT " + name + " FROM (" + now +
                                " EXCEPT " + was + ") UNION SELECT " + name +
                                " FROM (" + was + " EXCEPT " + now + ")"));
  return texts(statement);
}

Result<std::vector<std::string>> recount_in_transaction(
    Database& database, const std::string& since) {
  LLMROUTE_CHECK(database.execute(
      "CREATE TEMP TABLE old_scopes AS SELECT * FROM main.scopes;"
      "CREATE TEMP TABLE old_daily AS SELECT * FROM main.daily;"
      "DELETE FROM main.scopes"));
  LLMROUTE_CHECK(
      run_with(database, "DELETE FROM main.daily WHERE day>=?", since));
  LLMROUTE_CHECK(count_all(database, since));
  const std::string gone = std::string("NOT ") + kRecountable;
  LLMROUTE_CHECK(
      run_with(database, "DELETE FROM main.scopes WHERE " + gone, since));
  LLMROUTE_CHECK(run_with(database,
                          "INSERT INTO main.scopes SELECT * FROM old_scopes "
                          "WHERE " +
                              gone,
                          since));
  LLMROUTE_TRY(std::vector<std::string> wrong,
               differing(database, "scopes", "name",
                         "(settled_pico<>0 OR held_pico<>0)"));
  LLMROUTE_TRY(
      const std::vector<std::string> days,
      differing(database, "daily", "'daily sums of '||day", "calls<>0"));
  wrong.insert(wrong.end(), days.begin(), days.end());
  LLMROUTE_CHECK(
      database.execute("DROP TABLE old_scopes; DROP TABLE old_daily"));
  return wrong;
}

// --- orphans -----------------------------------------------------------------

Status release(Database& database, const std::string& id, KeptAttempt kept) {
  LLMROUTE_TRY(const DecisionRow decision, grouping_of(database, id));
  Tally tally;
  tally.add_attempt(decision, kept.row, kept.time, -1);
  tally.add_money(kept.scopes, -kept.row.charged_pico, 0);
  kept.row.charged_as = "released";
  kept.row.charged_pico = 0;
  kept.row.likely_pico = 0;
  LLMROUTE_CHECK(put_attempt(database, id, kept));
  tally.add_attempt(decision, kept.row, kept.time, 1);
  return tally.write(database);
}

// --- old rows ----------------------------------------------------------------

Result<std::vector<std::string>> older_than(Database& database, int64_t time,
                                            int64_t most) {
  // Ids begin with their time. What has an attempt in a later day stays.
  const std::string bound =
      base::make_ulid(base::moment_of(time)).substr(0, 10);
  LLMROUTE_TRY(
      Statement statement,
      database.prepare("SELECT id FROM decisions WHERE id<?1 AND"
                       " (call_state IS NULL OR time<?2) AND NOT EXISTS("
                       "SELECT 1 FROM attempts_apart a WHERE decision=id AND"
                       " (state='held' OR a.time>=?2)) LIMIT ?3"));
  statement.bind(0, bound).bind(1, time).bind(2, most);
  return texts(statement);
}

Status remove(Database& database, const std::vector<std::string>& ids) {
  for (const char* sql : {"DELETE FROM feedback WHERE decision=?",
                          "DELETE FROM verdicts WHERE decision=?",
                          "DELETE FROM attempts_apart WHERE decision=?",
                          "DELETE FROM decisions WHERE id=?"}) {
    LLMROUTE_TRY(Statement statement, database.prepare(sql));
    for (const std::string& id : ids) {
      LLMROUTE_CHECK(statement.bind(0, id).run());
    }
  }
  return {};
}

// At most `most` of them; how many.
Result<int64_t> remove_some(Database& database, int64_t time, int64_t most) {
  LLMROUTE_TRY(Transaction transaction, Transaction::begin(database));
  LLMROUTE_TRY(const std::vector<std::string> ids,
               older_than(database, time, most));
  if (ids.empty()) return int64_t{0};
  LLMROUTE_CHECK(remove(database, ids));
  LLMROUTE_CHECK(not_whole_before(database, time));
  LLMROUTE_CHECK(transaction.commit());
  return static_cast<int64_t>(ids.size());
}

}  // namespace

Result<std::vector<std::string>> recount(Ledger& ledger) {
  Database& database = ledger.database();
  LLMROUTE_TRY(const auto state, database.text("PRAGMA quick_check(1)"));
  if (state.value_or("") != "ok") {
    return base::Error{
        base::ErrorKind::kIo,
        fmt::format("ledger '{}': it is damaged", database.path())};
  }
  LLMROUTE_TRY(Transaction transaction, Transaction::begin(database));
  LLMROUTE_TRY(const std::string since, whole_since(database));
  LLMROUTE_TRY(std::vector<std::string> wrong,
               recount_in_transaction(database, since));
  LLMROUTE_CHECK(transaction.commit());
  return wrong;
}

Result<Released> release_orphans(Ledger& ledger) {
  LLMROUTE_CHECK(settle_orphans(ledger));
  Database& database = ledger.database();
  LLMROUTE_TRY(Transaction transaction, Transaction::begin(database));
  std::vector<std::pair<std::string, int64_t>> orphans;
  {
    LLMROUTE_TRY(
        Statement find,
        database.prepare(
            "SELECT decision, number FROM"
            " attempts_apart WHERE state='orphan' AND charged_as='orphan'"));
    for (;;) {
      LLMROUTE_TRY(const bool more, find.step());
      if (!more) break;
      orphans.emplace_back(find.text(0), find.integer(1));
    }
  }
  Released released;
  for (const auto& [id, number] : orphans) {
    LLMROUTE_TRY(auto kept, find_attempt(database, id, number));
    ++released.calls;
    released.pico = saturating_add(released.pico, kept->row.charged_pico);
    LLMROUTE_CHECK(release(database, id, std::move(*kept)));
  }
  LLMROUTE_CHECK(transaction.commit());
  return released;
}

Result<int64_t> purge(Ledger& ledger, int64_t time) {
  constexpr int64_t kAtOnce = 1000;  // others write in between
  Database& database = ledger.database();
  LLMROUTE_CHECK(database.execute("PRAGMA secure_delete=ON"));
  int64_t removed = 0;
  for (;;) {
    LLMROUTE_TRY(const int64_t some, remove_some(database, time, kAtOnce));
    removed += some;
    if (some < kAtOnce) break;
  }
  LLMROUTE_TRY(Statement sessions,
               database.prepare("DELETE FROM sessions WHERE time<?"));
  LLMROUTE_CHECK(sessions.bind(0, time).run());
  LLMROUTE_CHECK(database.execute(
      "DELETE FROM snapshots WHERE kind='shared_inputs' AND hash NOT IN"
      " (SELECT shared_inputs FROM decisions WHERE shared_inputs IS NOT NULL);"
      "DELETE FROM snapshots WHERE kind='config' AND hash NOT IN"
      " (SELECT json_extract(text, '$.config') FROM snapshots"
      " WHERE kind='shared_inputs');"
      "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)"));
  return removed;
}

Status forget_oldest(Ledger& ledger, int64_t now) {
  constexpr int64_t kAtOnce = 16;
  Database& database = ledger.database();
  const int64_t bound = now - kKeptDays * kDay;
  if (bound <= 0) return {};
  LLMROUTE_TRY(const std::vector<std::string> any,
               older_than(database, bound, 1));
  if (any.empty()) return {};
  LLMROUTE_CHECK(database.execute("PRAGMA secure_delete=ON"));
  LLMROUTE_TRY(const int64_t removed, remove_some(database, bound, kAtOnce));
  (void)removed;
  return {};
}

}  // namespace llmroute::store
