#include "store/schema.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <array>
#include <string_view>

#include "base/sha256.h"

namespace llmroute::store {
namespace {

using base::Status;

constexpr int64_t kApplicationId = 0x6C6C6D72;  // "llmr"

struct Object {
  std::string_view name;
  std::string_view sql;  // as sqlite_schema keeps it
};

constexpr Object kObjects[] = {
    {"meta",
     "CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, "
     "WITHOUT ROWID"},
    {"decisions",
     "CREATE TABLE decisions(id TEXT PRIMARY KEY, time INTEGER NOT NULL,"
     " command TEXT NOT NULL, run TEXT, requested TEXT NOT NULL,"
     " route TEXT NOT NULL, source TEXT NOT NULL, rule TEXT,"
     " profile TEXT NOT NULL, worth_usd REAL, wait_usd REAL, domain TEXT,"
     " difficulty REAL, confidence REAL, model TEXT NOT NULL,"
     " seed INTEGER, propensities TEXT,"
     " tags TEXT NOT NULL, prompt_hash TEXT, prompt_bytes INTEGER,"
     " decision_us INTEGER, exit INTEGER, finish TEXT, answer_bytes INTEGER,"
     " ms INTEGER, shared_inputs TEXT, inputs BLOB, outcome BLOB,"
     " call_model TEXT, call_provider TEXT, call_served TEXT,"
     " call_state TEXT, call_status INTEGER, call_class TEXT,"
     " call_cause TEXT, call_waited_ms INTEGER, call_ms INTEGER,"
     " call_first_token_ms INTEGER, call_input_tokens INTEGER,"
     " call_cached_tokens INTEGER, call_cache_write_tokens INTEGER,"
     " call_output_tokens INTEGER, call_reasoning_tokens INTEGER,"
     " call_worst_pico INTEGER, call_cost_pico INTEGER,"
     " call_charged_pico INTEGER, call_charged_as TEXT,"
     " call_likely_pico INTEGER, call_strongest_pico INTEGER,"
     " call_cheapest_pico INTEGER)"
     " STRICT"},
    {"attempts_apart",
     "CREATE TABLE attempts_apart(decision TEXT NOT NULL REFERENCES "
     "decisions(id),"
     " number INTEGER NOT NULL, time INTEGER NOT NULL, model TEXT NOT NULL,"
     " provider TEXT NOT NULL, served TEXT, state TEXT NOT NULL,"
     " status INTEGER, class TEXT, cause TEXT, waited_ms INTEGER, ms INTEGER,"
     " first_token_ms INTEGER, input_tokens INTEGER, cached_tokens INTEGER,"
     " cache_write_tokens INTEGER, output_tokens INTEGER,"
     " reasoning_tokens INTEGER, worst_pico INTEGER, cost_pico INTEGER,"
     " charged_pico INTEGER NOT NULL, charged_as TEXT NOT NULL,"
     " likely_pico INTEGER,"
     " strongest_pico INTEGER, cheapest_pico INTEGER, hedge INTEGER,"
     " owner TEXT, scopes TEXT,"
     " PRIMARY KEY(decision, number)) STRICT, WITHOUT ROWID"},
    {"attempts_held",
     "CREATE INDEX attempts_held ON attempts_apart(owner) WHERE"
     " state='held'"},
    {"scopes",
     "CREATE TABLE scopes(name TEXT PRIMARY KEY, settled_pico INTEGER NOT "
     "NULL, held_pico INTEGER NOT NULL) STRICT, WITHOUT ROWID"},
    {"daily",
     "CREATE TABLE daily(day TEXT NOT NULL, model TEXT NOT NULL,"
     " provider TEXT NOT NULL, route TEXT NOT NULL, profile TEXT NOT NULL,"
     " tags TEXT NOT NULL, calls INTEGER NOT NULL, answered INTEGER NOT NULL,"
     " ms INTEGER NOT NULL, input_tokens INTEGER NOT NULL,"
     " cached_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL,"
     " output_tokens INTEGER NOT NULL, cost_pico INTEGER NOT NULL,"
     " charged_pico INTEGER NOT NULL, likely_pico INTEGER NOT NULL,"
     " unknown INTEGER NOT NULL,"
     " estimated INTEGER NOT NULL, orphans INTEGER NOT NULL,"
     " strongest_pico INTEGER NOT NULL, cheapest_pico INTEGER NOT NULL,"
     " compared INTEGER NOT NULL, compared_pico INTEGER NOT NULL,"
     " counted INTEGER NOT NULL, counted_pico INTEGER NOT NULL,"
     " PRIMARY KEY(day, model, provider, route, profile, tags)) STRICT, "
     "WITHOUT ROWID"},
    {"snapshots",
     "CREATE TABLE snapshots(hash TEXT PRIMARY KEY, kind TEXT NOT NULL,"
     " text TEXT NOT NULL) STRICT"},
    {"feedback",
     "CREATE TABLE feedback(decision TEXT PRIMARY KEY REFERENCES "
     "decisions(id), time INTEGER NOT NULL, score REAL NOT NULL) STRICT, "
     "WITHOUT ROWID"},
    {"statistics",
     "CREATE TABLE statistics(model TEXT NOT NULL, provider TEXT NOT NULL,"
     " origin TEXT NOT NULL, calls INTEGER NOT NULL,"
     " answered INTEGER NOT NULL, time INTEGER NOT NULL,"
     " at_call INTEGER NOT NULL, fast_weight REAL NOT NULL,"
     " fast_first_s REAL NOT NULL, fast_tokens REAL NOT NULL,"
     " fast_token_s REAL NOT NULL, slow_weight REAL NOT NULL,"
     " slow_first_s REAL NOT NULL, slow_tokens REAL NOT NULL,"
     " slow_token_s REAL NOT NULL, log_weight REAL NOT NULL,"
     " log_sum REAL NOT NULL, log_squares REAL NOT NULL,"
     " begun INTEGER NOT NULL, begin_weight REAL NOT NULL, begin_sum REAL NOT "
     "NULL,"
     " begin_squares REAL NOT NULL,"
     " breaker TEXT NOT NULL, probe_until INTEGER NOT NULL,"
     " hold_until INTEGER NOT NULL, last_error TEXT,"
     " last_error_time INTEGER, PRIMARY KEY(model, provider, origin))"
     " STRICT, WITHOUT ROWID"},
    {"verdicts",
     "CREATE TABLE verdicts(decision TEXT NOT NULL REFERENCES decisions(id),"
     " number INTEGER NOT NULL, time INTEGER NOT NULL, score REAL NOT NULL,"
     " PRIMARY KEY(decision, number)) STRICT, WITHOUT ROWID"},
    {"cells",
     "CREATE TABLE cells(domain TEXT NOT NULL, level INTEGER NOT NULL,"
     " model TEXT NOT NULL, verdicts INTEGER NOT NULL, good REAL NOT NULL,"
     " bad REAL NOT NULL, at_verdict INTEGER NOT NULL,"
     " PRIMARY KEY(domain, level, model)) STRICT, WITHOUT ROWID"},
    {"sessions",
     "CREATE TABLE sessions(name TEXT PRIMARY KEY, time INTEGER NOT NULL,"
     " model TEXT NOT NULL, tokens INTEGER NOT NULL) STRICT, WITHOUT ROWID"},
    {"attempts",
     "CREATE VIEW attempts AS SELECT id AS decision, 1 AS number, time,"
     " call_model AS model, call_provider AS provider,"
     " call_served AS served, call_state AS state, call_status AS status,"
     " call_class AS class, call_cause AS cause,"
     " call_waited_ms AS waited_ms, call_ms AS ms,"
     " call_first_token_ms AS first_token_ms,"
     " call_input_tokens AS input_tokens,"
     " call_cached_tokens AS cached_tokens,"
     " call_cache_write_tokens AS cache_write_tokens,"
     " call_output_tokens AS output_tokens,"
     " call_reasoning_tokens AS reasoning_tokens,"
     " call_worst_pico AS worst_pico, call_cost_pico AS cost_pico,"
     " call_charged_pico AS charged_pico, call_charged_as AS charged_as,"
     " call_likely_pico AS likely_pico,"
     " call_strongest_pico AS strongest_pico,"
     " call_cheapest_pico AS cheapest_pico, NULL AS hedge, NULL AS owner,"
     " NULL AS scopes FROM decisions WHERE call_state IS NOT NULL UNION ALL"
     " SELECT decision, number, time,"
     " model, provider, served, state, status, class, cause, waited_ms, ms,"
     " first_token_ms, input_tokens, cached_tokens, cache_write_tokens,"
     " output_tokens, reasoning_tokens, worst_pico, cost_pico, charged_pico,"
     " charged_as, likely_pico, strongest_pico, cheapest_pico, hedge, owner,"
     " scopes"
     " FROM attempts_apart"},
    {"calls",
     "CREATE VIEW calls AS SELECT strftime('%Y-%m-%dT%H:%M:%SZ',"
     " a.time/1000, 'unixepoch') AS time, a.decision, a.number, d.route,"
     " d.source, d.profile, d.tags, a.model, a.provider, a.served, a.state,"
     " a.status, a.cause, a.ms, a.first_token_ms, a.input_tokens,"
     " a.cached_tokens, a.output_tokens, a.cost_pico/1e12 AS usd,"
     " a.charged_pico/1e12 AS charged_usd, a.charged_as,"
     " a.likely_pico/1e12 AS likely_usd, f.score AS feedback"
     " FROM attempts a JOIN decisions d ON d.id=a.decision"
     " LEFT JOIN feedback f ON f.decision=a.decision"},
    {"spend",
     "CREATE VIEW spend AS SELECT day, model, provider, route, profile, tags,"
     " calls, answered, unknown, input_tokens, output_tokens,"
     " cost_pico/1e12 AS usd, charged_pico/1e12 AS charged_usd,"
     " strongest_pico/1e12 AS strongest_usd FROM daily"},
};

base::Error refused(const Database& database, const std::string& why) {
  return {base::ErrorKind::kIo,
          fmt::format("ledger '{}': {}", database.path(), why)};
}

const Object* find(std::string_view name) {
  for (const Object& object : kObjects) {
    if (object.name == name) return &object;
  }
  return nullptr;
}

std::string random_key() {
  std::array<uint8_t, 32> key{};
  (void)!getrandom(key.data(), key.size(), 0);
  return base::hex(key);
}

Status check_objects(Database& database) {
  LLMROUTE_TRY(Statement statement,
               database.prepare("SELECT type, name, sql FROM sqlite_schema"));
  size_t known = 0;
  for (;;) {
    LLMROUTE_TRY(const bool more, statement.step());
    if (!more) break;
    const Object* object = find(statement.text(1));
    const bool altered = object != nullptr && statement.text(2) != object->sql;
    if (altered || statement.text(0) == "trigger") {
      return refused(database, fmt::format("'{}' is not as llmroute made it",
                                           statement.text(1)));
    }
    if (object != nullptr) ++known;
  }
  if (known == std::size(kObjects)) return {};
  return refused(database, "some of its tables are missing");
}

}  // namespace

Status create_schema(Database& database) {
  LLMROUTE_TRY(Transaction transaction, Transaction::begin(database));
  for (const Object& object : kObjects) {
    LLMROUTE_CHECK(database.execute(std::string(object.sql)));
  }
  LLMROUTE_TRY(Statement insert,
               database.prepare("INSERT INTO meta VALUES('prompt_key', ?)"));
  LLMROUTE_CHECK(insert.bind(0, random_key()).run());
  LLMROUTE_CHECK(database.execute(
      fmt::format("PRAGMA application_id={}; PRAGMA user_version={}",
                  kApplicationId, kSchemaVersion)));
  return transaction.commit();
}

Status check_schema(Database& database) {
  LLMROUTE_TRY(const auto application,
               database.integer("PRAGMA application_id"));
  if (application != kApplicationId) {
    return refused(database, "it is not a ledger of llmroute");
  }
  LLMROUTE_TRY(const auto version, database.integer("PRAGMA user_version"));
  if (version != kSchemaVersion) {
    return refused(
        database,
        fmt::format("it has version {}, this program writes version {}",
                    version.value_or(0), kSchemaVersion));
  }
  return check_objects(database);
}

}  // namespace llmroute::store
