#include "store/statistics.h"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "core/breaker.h"
#include "fixture.h"
#include "store/cells.h"

namespace llmroute::store {
namespace {

// Counts the calls it is told of.
class Counter : public Learner {
 public:
  base::Status learn(Database& database,
                     std::span<const Ended> ended) override {
    for (const Ended& one : ended) {
      const AttemptRow& attempt = *one.attempt;
      LLMROUTE_TRY(
          StatisticsRow row,
          find_statistics(database, {attempt.model, attempt.provider, "here"}));
      ++row.calls;
      row.time = one.time;
      LLMROUTE_CHECK(put_statistics(database, row));
    }
    return {};
  }
};

std::string open_breaker() {
  core::Breaker breaker;
  const core::Breaker::Time then{std::chrono::milliseconds(kNoon)};
  for (int i = 0; i < 5; ++i) breaker.fail(then, false, 0.5);
  return breaker.pack();
}

std::string put(Ledger& ledger, const std::string& model, double difficulty,
                int64_t time = kNoon) {
  DecisionRow row = decision(time);
  row.domain = "code";
  row.difficulty = difficulty;
  AttemptRow attempt = answered(3);
  attempt.model = model;
  REQUIRE(ledger.record(row, std::vector{attempt}, time));
  return row.id;
}

}  // namespace

TEST_CASE("OLR-8: 64 writers of 50 calls make 3,200 observations") {
  const LedgerTest test;
  test.open();
  std::vector<std::thread> writers;
  for (int i = 0; i < 64; ++i) {
    writers.emplace_back([&] {
      auto ledger = Ledger::open(
          test.path, {.busy_timeout = std::chrono::milliseconds(60'000)});
      Counter counter;
      ledger->teach(&counter);
      for (int call = 0; call < 50; ++call) {
        DecisionRow row = decision();
        CHECK(ledger->record(row, std::vector{answered(1)}, kNoon));
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  CHECK(test.number("SELECT calls FROM statistics") == 3200);
}

TEST_CASE("an attempt is learned from once, however often it is told") {
  const LedgerTest test;
  Ledger ledger = test.open();
  Counter counter;
  ledger.teach(&counter);
  DecisionRow row = decision();
  for (int i = 0; i < 3; ++i) {
    REQUIRE(ledger.record(row, std::vector{answered(1)}, kNoon));
  }
  CHECK(*counted_calls(ledger.database()) == 1);
  CHECK(read_statistics(ledger.database())->front().origin == "here");
}

TEST_CASE("K6: a half-open model is probed by one process at a time") {
  const LedgerTest test;
  Ledger ledger = test.open();
  const StatisticsKey key{"small", "stub", "here"};
  CHECK(*claim_probe(ledger, key, kNoon));  // nothing is known: closed
  StatisticsRow row = *find_statistics(ledger.database(), key);
  row.breaker = open_breaker();
  REQUIRE(put_statistics(ledger.database(), row));
  CHECK_FALSE(*claim_probe(ledger, key, kNoon + 1000));
  const int64_t half_open = kNoon + 6000;
  CHECK(*claim_probe(ledger, key, half_open));
  CHECK_FALSE(*claim_probe(ledger, key, half_open));
  CHECK_FALSE(*claim_probe(ledger, key, half_open + kProbeLease - 1));
  CHECK(*claim_probe(ledger, key, half_open + kProbeLease));
}

TEST_CASE("RL-1: feedback judges the model that answered, once, in its cell") {
  const LedgerTest test;
  Ledger ledger = test.open();
  const std::string first = put(ledger, "small", 0);
  put(ledger, "large", 0, kNoon + kHour);
  const int64_t week_later = kNoon + 7 * 24 * kHour;
  REQUIRE(ledger.put_feedback(first, 1, week_later));
  auto cells = *read_cells(ledger.database());
  REQUIRE(cells.size() == 1);
  CHECK(cells[0].model == "small");
  CHECK(cells[0].domain == "code");
  CHECK(cells[0].verdicts.good == 1);
  REQUIRE(ledger.put_feedback(first, 0.25, week_later + 1));
  cells = *read_cells(ledger.database());
  REQUIRE(cells.size() == 1);
  CHECK(cells[0].count == 1);
  CHECK(cells[0].verdicts.good == 0.25);
  CHECK(cells[0].verdicts.bad == 0.75);
  const auto unknown = ledger.put_feedback("nobody", 1, kNoon);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kind == base::ErrorKind::kNoInput);
}

TEST_CASE("replacing a verdict gives what saying it at once would have given") {
  const LedgerTest one, other;
  Ledger a = one.open(), b = other.open();
  std::vector<std::string> of_a, of_b;
  for (int i = 0; i < 6; ++i) {
    const std::string model = i % 2 == 0 ? "small" : "large";
    of_a.push_back(put(a, model, 0.1 * i, kNoon + i));
    of_b.push_back(put(b, model, 0.1 * i, kNoon + i));
  }
  for (size_t i = 0; i < 5; ++i) {
    REQUIRE(a.put_feedback(of_a[i], 1, kNoon + 100 + static_cast<int64_t>(i)));
    REQUIRE(b.put_feedback(of_b[i], 1, kNoon + 100 + static_cast<int64_t>(i)));
  }
  REQUIRE(a.put_feedback(of_a[5], 1, kNoon + 200));
  REQUIRE(a.put_feedback(of_a[5], 0, kNoon + 200));
  REQUIRE(b.put_feedback(of_b[5], 0, kNoon + 200));
  const auto x = *read_cells(a.database()), y = *read_cells(b.database());
  REQUIRE(x.size() == y.size());
  for (size_t i = 0; i < x.size(); ++i) {
    CHECK(x[i].model == y[i].model);
    CHECK(x[i].count == y[i].count);
    CHECK(x[i].verdicts.good == doctest::Approx(y[i].verdicts.good));
    CHECK(x[i].verdicts.bad == doctest::Approx(y[i].verdicts.bad));
  }
}

TEST_CASE("a check's verdict judges its own attempt") {
  const LedgerTest test;
  Ledger ledger = test.open();
  const std::string id = put(ledger, "small", 2);
  REQUIRE(ledger.put_verdict(id, 1, 0, kNoon));
  const auto cells = *read_cells(ledger.database());
  REQUIRE(cells.size() == 1);
  CHECK(cells[0].level == 4);
  CHECK(cells[0].verdicts.bad == 1);
  CHECK_FALSE(ledger.put_verdict(id, 2, 0, kNoon));
}

}  // namespace llmroute::store
