#include "store/ledger.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <string>
#include <thread>
#include <vector>

#include "fixture.h"
#include "store/outcomes.h"
#include "store/schema.h"
#include "store/upkeep.h"

namespace llmroute::store {
namespace {

using base::ErrorKind;

std::string scope(const std::string& name) {
  return "SELECT settled_pico FROM scopes WHERE name='" + name + "'";
}

}  // namespace

TEST_CASE("a recorded decision counts in its day, its month and its tags") {
  const LedgerTest test;
  DecisionRow one = decision();
  one.tags = R"({"team":"search"})";
  one.run = "night";
  const std::vector<AttemptRow> attempts = {answered(3, 1), answered(4, 2)};
  REQUIRE(test.open().record(one, attempts, kNoon));
  CHECK(test.number(scope("day/2026-11-28")) == 7);
  CHECK(test.number(scope("month/2026-11")) == 7);
  CHECK(test.number(scope("tag/team=search/day/2026-11-28")) == 7);
  CHECK(test.number(scope("tag/team=search/month/2026-11")) == 7);
  CHECK(test.number(scope("run/night")) == 7);
  CHECK(test.number("SELECT sum(calls) FROM daily") == 2);
  CHECK(test.number("SELECT count(*) FROM calls WHERE usd > 0") == 2);
}

TEST_CASE("K9: what is told twice counts once") {
  const LedgerTest test;
  DecisionRow one = decision();
  const std::vector<AttemptRow> attempts = {answered(3)};
  REQUIRE(test.open().record(one, attempts, kNoon));
  REQUIRE(test.open().record(one, attempts, kNoon + kHour));
  CHECK(test.number(scope("day/2026-11-28")) == 3);
  CHECK(test.number("SELECT sum(calls) FROM daily") == 1);
}

namespace {

AttemptRow failed(int64_t number) {
  AttemptRow row = answered(0, number);
  row.state = "failed";
  row.charged_as = "nothing";
  row.model = "gone";
  return row;
}

// One call; two told at once; two told one after the other.
std::vector<std::string> record_three(Ledger ledger) {
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    DecisionRow one = decision(kNoon + i);
    one.domain = "code";
    one.difficulty = 0.5;
    std::vector<AttemptRow> attempts = {i == 0 ? answered(3) : failed(1)};
    if (i == 1) attempts.push_back(answered(4, 2));
    REQUIRE(ledger.record(one, attempts, kNoon));
    if (i == 2) {
      REQUIRE(ledger.record(one, std::vector{answered(5, 2)}, kNoon));
    }
    ids.push_back(one.id);
  }
  return ids;
}

}  // namespace

TEST_CASE("an only call is beside its decision, others apart; a view has all") {
  const LedgerTest test;
  (void)record_three(test.open());
  CHECK(test.text("SELECT group_concat(call_model) FROM decisions") ==
        "small,gone");
  CHECK(test.number("SELECT count(*) FROM attempts_apart") == 3);
  CHECK(test.text("SELECT group_concat(number||model||cost_pico||charged_as)"
                  " FROM (SELECT * FROM attempts ORDER BY decision, number)") ==
        "1small3usage,1gone0nothing,2small4usage,1gone0nothing,2small5usage");
  CHECK(test.number("SELECT count(*) FROM calls WHERE provider='stub' AND"
                    " time='2026-11-28T12:00:00Z'") == 5);
  CHECK(test.number("SELECT sum(calls) FROM daily") == 5);
  Ledger ledger = test.open();
  CHECK(recount(ledger).value().empty());
}

TEST_CASE("verdicts find the answer beside its decision and apart") {
  const LedgerTest test;
  Ledger ledger = test.open();
  for (const std::string& id : record_three(test.open())) {
    CHECK(ledger.answer_of(id)->model == "small");
    REQUIRE(ledger.put_feedback(id, 1, kNoon));
    REQUIRE(ledger.put_verdict(id, 1, 0, kNoon));
  }
  const auto rows = read_outcomes(ledger.database()).value();
  std::string found;
  for (const OutcomeRow& row : rows) {
    found += row.model + std::to_string(*row.cost_pico) + " ";
  }
  CHECK(found == "small3 small3 gone4 small4 gone5 small5 ");
}

TEST_CASE("a purge takes calls with their decisions, but not later ones") {
  const LedgerTest test;
  Ledger ledger = test.open();
  (void)record_three(test.open());
  DecisionRow late = decision(kNoon);  // made by a process of long ago
  REQUIRE(ledger.record(late, std::vector{answered(6)}, kNoon + 24 * kHour));
  CHECK(purge(ledger, kNoon + kHour).value() == 3);
  CHECK(test.number("SELECT count(*) FROM attempts") == 1);
  CHECK(test.number("SELECT count(*) FROM attempts_apart") == 0);
  CHECK(test.number("SELECT sum(calls) FROM daily") == 6);
}

TEST_CASE("T1 F15: a clock that is set back opens no new window") {
  const LedgerTest test;
  DecisionRow first = decision(kNoon), second = decision(kNoon - 24 * kHour);
  REQUIRE(test.open().record(first, std::vector{answered(3)}, kNoon));
  REQUIRE(
      test.open().record(second, std::vector{answered(4)}, kNoon - 24 * kHour));
  CHECK(second.time == kNoon);
  CHECK(test.number(scope("day/2026-11-28")) == 7);
}

TEST_CASE("T2: times of 1970, 2038, 2106 and 9999 are kept in order") {
  const LedgerTest test;
  for (const int64_t time :
       {int64_t{0}, int64_t{2'147'483'648'000}, int64_t{4'294'967'296'000},
        int64_t{253'402'300'799'000}}) {
    DecisionRow row = decision(time);
    row.id = base::make_ulid({});
    row.id[0] = static_cast<char>('0' + time / 40'000'000'000'000);
    row.id[1] = static_cast<char>('0' + time / 1'000'000'000'000 % 8);
    REQUIRE(test.open().record(row, std::vector{answered(1)}, time));
    CHECK(row.time == time);
  }
  CHECK(test.text("SELECT max(day) FROM daily") == "9999-12-31");
  CHECK(test.text("SELECT min(day) FROM daily") == "1970-01-01");
}

TEST_CASE("the same prompt has the same hash in one ledger, no other's") {
  const LedgerTest one, other;
  const auto hash = one.open().prompt_hash("hi");
  REQUIRE(hash);
  CHECK(hash->size() == 32);
  CHECK(one.open().prompt_hash("hi").value() == *hash);
  CHECK(one.open().prompt_hash("ho").value() != *hash);
  CHECK(other.open().prompt_hash("hi").value() != *hash);
}

TEST_CASE("RL-1: feedback replaces what was said before") {
  const LedgerTest test;
  DecisionRow one = decision();
  REQUIRE(test.open().record(one, std::vector{answered(1)}, kNoon));
  REQUIRE(test.open().put_feedback(one.id, 0, kNoon));
  REQUIRE(test.open().put_feedback(one.id, 0.5, kNoon + kHour));
  CHECK(test.text("SELECT group_concat(score) FROM feedback") == "0.5");
  const auto unknown = test.open().put_feedback("nobody", 1, kNoon);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kind == ErrorKind::kNoInput);
}

TEST_CASE("F13: the ledger's files are 0600 whatever the umask") {
  const LedgerTest test;
  const mode_t old = ::umask(0);
  {
    Ledger ledger = test.open();
    DecisionRow one = decision();
    REQUIRE(ledger.record(one, std::vector{answered(1)}, kNoon));
    ::umask(old);
    for (const char* suffix : {"", "-wal", "-shm"}) {
      struct stat info {};
      REQUIRE(::stat((test.path + suffix).c_str(), &info) == 0);
      CHECK((info.st_mode & 0777) == 0600);
    }
  }
}

TEST_CASE("A19: a directory that others can write to is refused") {
  const LedgerTest test;
  const std::string directory = base::parent_directory(test.path);
  ::chmod(directory.c_str(), 0777);
  const auto place = ledger_path(test.path);
  REQUIRE_FALSE(place);
  CHECK(place.error().kind == ErrorKind::kNoPermission);
  ::chmod(directory.c_str(), 0700);
  (void)test.open();
  ::chmod(test.path.c_str(), 0666);
  CHECK_FALSE(ledger_path(test.path));
}

TEST_CASE("A18: a link in the ledger's place is not followed") {
  const LedgerTest test;
  const std::string elsewhere = test.path + ".elsewhere";
  REQUIRE(::symlink(elsewhere.c_str(), test.path.c_str()) == 0);
  CHECK_FALSE(ledger_path(test.path));
  CHECK_FALSE(Ledger::open(test.path, {}));
  CHECK_FALSE(base::file_exists(elsewhere));
}

TEST_CASE("F10: what is no ledger is refused and left as it is") {
  const LedgerTest good;
  {
    Ledger ledger = good.open();
    DecisionRow one = decision();
    REQUIRE(ledger.record(one, std::vector{answered(1)}, kNoon));
    REQUIRE(ledger.database().execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  }
  const std::string whole = base::read_file(good.path, 1 << 24).value();
  std::string flipped = whole, newer = whole;
  flipped[100] = 0x55;             // the kind of the first page
  newer[63] = kSchemaVersion + 1;  // user_version is at 60, big-endian
  for (const std::string& bytes :
       {std::string(), std::string("not a database"), std::string(8192, '\0'),
        whole.substr(0, whole.size() / 2), flipped, newer}) {
    CAPTURE(bytes.size());
    const LedgerTest test;
    test.overwrite(test.path, bytes);
    const auto ledger = Ledger::open(test.path, {});
    REQUIRE_FALSE(ledger);
    CHECK(ledger.error().kind == ErrorKind::kIo);
    CHECK(base::read_file(test.path, 1 << 24).value() == bytes);
  }
}

TEST_CASE("A24: a ledger with a trigger or another view is refused") {
  for (const char* sql :
       {"CREATE TRIGGER t AFTER INSERT ON decisions BEGIN DELETE FROM scopes; "
        "END",
        "DROP VIEW spend; CREATE VIEW spend AS SELECT 1",
        "ALTER TABLE scopes RENAME TO s; CREATE VIEW scopes AS SELECT * FROM "
        "s"}) {
    CAPTURE(sql);
    const LedgerTest test;
    REQUIRE(test.open().database().execute(sql));
    CHECK_FALSE(Ledger::open(test.path, {}));
  }
}

TEST_CASE("K5: of 16 first runs at once one creates the ledger, all use it") {
  const LedgerTest test;
  std::vector<std::thread> threads;
  std::vector<int> good(16, 0);
  for (size_t i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      auto ledger = Ledger::open(test.path, {});
      DecisionRow one = decision();
      good[i] = ledger && ledger->record(one, std::vector{answered(1)}, kNoon);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(good == std::vector<int>(16, 1));
  CHECK(test.number("SELECT count(*) FROM decisions") == 16);
  CHECK(test.number(scope("day/2026-11-28")) == 16);
}

TEST_CASE("K4: a lock that stays is said to be one, and nothing is written") {
  const LedgerTest test;
  Ledger holder = test.open();
  const auto lock = Transaction::begin(holder.database());
  REQUIRE(lock);
  auto ledger =
      Ledger::open(test.path, {.busy_timeout = std::chrono::milliseconds(20)});
  REQUIRE(ledger);
  DecisionRow one = decision();
  const auto status = ledger->record(one, std::vector{answered(1)}, kNoon);
  REQUIRE_FALSE(status);
  CHECK(status.error().kind == ErrorKind::kTryLater);
}

TEST_CASE("F11: file systems that machines share are known") {
  CHECK(is_network_file_system(0x6969));
  CHECK_FALSE(is_network_file_system(0xEF53));
}

TEST_CASE("A15 I12: hostile texts are stored as they are") {
  const LedgerTest test;
  const std::string hostile = "'); DROP TABLE decisions; --\x01\xE2\x80\xAE\"";
  DecisionRow one = decision();
  one.route = one.model = hostile;
  one.run = hostile;
  REQUIRE(test.open().record(one, std::vector{answered(1)}, kNoon));
  CHECK(test.text("SELECT route FROM decisions") == hostile);
  CHECK(test.text("SELECT name FROM scopes WHERE name LIKE 'run/%'") ==
        "run/" + hostile);
}

}  // namespace llmroute::store
