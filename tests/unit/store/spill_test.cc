#include "store/spill.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <string>
#include <thread>
#include <vector>

#include "fixture.h"
#include "store/holds.h"

namespace llmroute::store {

TEST_CASE("what was spilled is in the ledger after the import, as it was") {
  const LedgerTest test;
  DecisionRow one = decision();
  one.time = kNoon;
  one.rule = "a \"rule\"\n";
  one.tags = R"({"team":"search"})";
  one.difficulty = 0.125;
  one.exit = 0;
  one.inputs = {std::string("\0\xFF\"\n", 4)};
  REQUIRE(spill(test.path,
                std::vector<Recorded>{{one, {answered(3), answered(4, 2)}}}));
  Ledger ledger = test.open();
  CHECK(import_spilled(ledger).value() == 0);
  CHECK(test.number("SELECT settled_pico FROM scopes WHERE "
                    "name='tag/team=search/day/2026-11-28'") == 7);
  CHECK(test.text("SELECT rule FROM decisions") == one.rule);
  CHECK(test.text("SELECT difficulty FROM decisions") == "0.125");
  CHECK(test.text("SELECT domain FROM decisions") == "NULL");
  CHECK(test.text("SELECT hex(inputs) FROM decisions") == "00FF220A");
  CHECK(test.text("SELECT outcome FROM decisions") == "NULL");
  CHECK(test.number("SELECT sum(output_tokens) FROM daily") == 10);
  struct stat info {};
  REQUIRE(::stat((test.path + ".spill").c_str(), &info) == 0);
  CHECK(info.st_size == 0);
  CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("K9: spilled rows that are imported by many count once") {
  const LedgerTest test;
  for (int i = 0; i < 16; ++i) {
    DecisionRow one = decision();
    one.time = kNoon;
    REQUIRE(spill(test.path, std::vector<Recorded>{{one, {answered(1)}}}));
  }
  (void)test.open();
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      auto ledger = Ledger::open(test.path, {});
      if (ledger) (void)import_spilled(*ledger);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(test.number("SELECT sum(calls) FROM daily") == 16);
  CHECK(test.number("SELECT sum(charged_pico) FROM daily") == 16);
}

TEST_CASE("a crash between import and emptying counts nothing twice") {
  const LedgerTest test;
  DecisionRow one = decision();
  one.time = kNoon;
  REQUIRE(spill(test.path, std::vector<Recorded>{{one, {answered(3)}}}));
  const std::string kept =
      base::read_file(test.path + ".spill", 1 << 20).value();
  Ledger ledger = test.open();
  REQUIRE(import_spilled(ledger));
  test.overwrite(test.path + ".spill", kept);
  REQUIRE(import_spilled(ledger));
  CHECK(test.number("SELECT sum(charged_pico) FROM daily") == 3);
}

TEST_CASE("lines that make no sense are dropped, the others are imported") {
  const LedgerTest test;
  DecisionRow one = decision();
  one.time = kNoon;
  REQUIRE(spill(test.path, std::vector<Recorded>{{one, {answered(3)}}}));
  const std::string line =
      base::read_file(test.path + ".spill", 1 << 20).value();
  test.overwrite(test.path + ".spill",
                 "{}\nnot json\n{\"decision\":{\"id\":1},\"attempts\":5}\n"
                 "5\n{\"decision\":\"id\"}\n"
                 "{\"decision\":{},\"attempts\":[{},\"x\"]}\n" +
                     line + line.substr(0, line.size() / 2));
  Ledger ledger = test.open();
  CHECK(import_spilled(ledger).value() == 7);
  CHECK(test.number("SELECT count(*) FROM decisions") == 1);
}

TEST_CASE(
    "rows are on the disk before the file is emptied, and no others are") {
  const LedgerTest test;
  for (const Durability usual : {Durability::kNormal, Durability::kFull}) {
    Ledger ledger = test.open();
    Database& database = ledger.database();
    REQUIRE(database.set_durability(usual));
    const auto before = database.integer("PRAGMA synchronous").value();
    test.overwrite(test.path + ".spill", "nothing\n");
    REQUIRE(import_spilled(ledger).value() == 1);
    CHECK(database.integer("PRAGMA synchronous").value() == before);
    CHECK(database.durability() == usual);
  }
}

TEST_CASE("what follows a line that was cut is not lost with it") {
  const LedgerTest test;
  DecisionRow one = decision();
  one.time = kNoon;
  test.overwrite(test.path + ".spill", "{\"decision\":{\"id\"");
  REQUIRE(spill(test.path, std::vector<Recorded>{{one, {answered(3)}}}));
  Ledger ledger = test.open();
  CHECK(import_spilled(ledger).value() == 1);
  CHECK(test.number("SELECT count(*) FROM decisions") == 1);
}

TEST_CASE("a spilled outcome settles the hold it belongs to") {
  const LedgerTest test;
  DecisionRow one = decision();
  AttemptRow asked = answered(0);
  asked.worst_pico = 6;
  Ledger ledger = test.open();
  REQUIRE(hold(ledger, one, asked, {}, kNoon));
  REQUIRE(spill(test.path, std::vector<Recorded>{{one, {answered(2)}}}));
  REQUIRE(import_spilled(ledger));
  CHECK(test.number("SELECT held_pico FROM scopes LIMIT 1") == 0);
  CHECK(test.number("SELECT settled_pico FROM scopes LIMIT 1") == 2);
}

}  // namespace llmroute::store
