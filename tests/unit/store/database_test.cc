#include "store/database.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include "fixture.h"

namespace llmroute::store {
namespace {

Statement prepared(Database& database, const char* sql) {
  auto statement = database.prepare(sql);
  REQUIRE(statement);
  return std::move(*statement);
}

}  // namespace

TEST_CASE("a statement that is used again has forgotten its values and place") {
  const LedgerTest test;
  Ledger ledger = test.open();
  Database& database = ledger.database();
  const char* const sql = "SELECT value FROM json_each(?)";
  {
    Statement first = prepared(database, sql);
    first.bind(0, "[1, 2, 3]");
    REQUIRE(first.step().value());
    CHECK(first.integer(0) == 1);
  }
  Statement again = prepared(database, sql);
  CHECK_FALSE(again.step().value());  // of NULL
  again.reset();
  again.bind(0, "[4]");
  REQUIRE(again.step().value());
  CHECK(again.integer(0) == 4);
}

TEST_CASE("what cannot be bound is an error of the next step") {
  const LedgerTest test;
  Ledger ledger = test.open();
  Statement statement = prepared(ledger.database(), "SELECT ?");
  const auto failed = statement.bind(1, int64_t{5}).bind(0, "a").step();
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message ==
        "ledger '" + test.path + "': a value cannot be bound");
  REQUIRE(statement.bind(0, "b").step().value());
  CHECK(statement.text(0) == "b");
}

TEST_CASE("statements of the same text can be used at the same time") {
  const LedgerTest test;
  Ledger ledger = test.open();
  Database& database = ledger.database();
  const char* const sql = "SELECT value FROM json_each(?)";
  for (int round = 0; round < 3; ++round) {
    Statement outer = prepared(database, sql);
    Statement inner = prepared(database, sql);
    outer.bind(0, "[1, 2]");
    inner.bind(0, "[3, 4]");
    REQUIRE(outer.step().value());
    REQUIRE(inner.step().value());
    CHECK(outer.integer(0) == 1);
    CHECK(inner.integer(0) == 3);
    const Statement moved = std::move(outer);
    CHECK(moved.integer(0) == 1);
  }
}

TEST_CASE("a statement is of the tables as they are when it is used again") {
  const LedgerTest test;
  Ledger ledger = test.open();
  Database& database = ledger.database();
  const char* const sql = "SELECT * FROM t";
  CHECK_FALSE(database.prepare(sql));  // and that is not kept
  REQUIRE(database.execute("CREATE TEMP TABLE t AS SELECT 1 AS a"));
  CHECK(database.integer(sql).value() == 1);
  REQUIRE(
      database.execute("DROP TABLE t;"
                       "CREATE TEMP TABLE t AS SELECT 7 AS b, 8 AS c"));
  CHECK(database.integer(sql).value() == 7);
  REQUIRE(database.execute("DROP TABLE t"));
  CHECK_FALSE(database.integer(sql));
}

TEST_CASE("a transaction that is not committed leaves nothing") {
  const LedgerTest test;
  Ledger ledger = test.open();
  Database& database = ledger.database();
  const char* const count = "SELECT count(*) FROM sessions";
  {
    const auto transaction = Transaction::begin(database);
    REQUIRE(transaction);
    REQUIRE(database.execute("INSERT INTO sessions VALUES('s', 1, 'm', 2)"));
    CHECK(database.integer(count).value() == 1);
  }
  CHECK(database.integer(count).value() == 0);
}

TEST_CASE("the log stays short however many processes come one by one") {
  const LedgerTest test;
  uintmax_t longest = 0;
  for (int process = 0; process < 100; ++process) {
    Ledger ledger = test.open();
    REQUIRE(
        ledger.database().execute("CREATE TABLE IF NOT EXISTS t (x BLOB);"
                                  "INSERT INTO t VALUES (zeroblob(40000))"));
    longest = std::max(longest, std::filesystem::file_size(test.path + "-wal"));
  }
  CHECK(longest < 150 * 4120);
  CHECK(test.number("SELECT count(*) FROM t") == 100);
}

TEST_CASE("the log of who writes much has an end, and is cut at the row's") {
  const LedgerTest test;
  Ledger ledger = test.open();
  Database& database = ledger.database();
  const auto log = [&] {
    return std::filesystem::file_size(test.path + "-wal");
  };
  REQUIRE(database.execute("CREATE TABLE t (x BLOB)"));
  database.set_writes_much(true);
  uintmax_t longest = 0;
  for (int i = 0; i < 300; ++i) {
    REQUIRE(database.execute("INSERT INTO t VALUES (zeroblob(40000))"));
    longest = std::max(longest, log());
  }
  CHECK(longest > 150 * 4120);
  CHECK(longest < 1100 * 4120);
  database.set_writes_much(false);
  CHECK(log() == 0);
  CHECK(test.number("SELECT count(*) FROM t") == 300);
}

TEST_CASE("a reader that is in the way of the log's end is not waited for") {
  const LedgerTest test;
  Ledger other = test.open();
  REQUIRE(other.database().execute("CREATE TABLE t (x BLOB)"));
  Statement reading = prepared(other.database(), "SELECT count(*) FROM t");
  REQUIRE(other.database().execute("BEGIN"));
  REQUIRE(reading.step().value());
  Ledger ledger = test.open();
  ledger.database().set_busy_timeout(std::chrono::hours(1));
  for (int i = 0; i < 40; ++i) {
    REQUIRE(
        ledger.database().execute("INSERT INTO t VALUES (zeroblob(40000))"));
  }
  CHECK(reading.integer(0) == 0);
}

}  // namespace llmroute::store
