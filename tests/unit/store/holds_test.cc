#include "store/holds.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>
#include <string>
#include <vector>

#include "fixture.h"
#include "store/owner.h"

namespace llmroute::store {
namespace {

using base::ErrorKind;

const std::vector<Ceiling> kTenADay = {{Window::kDay, "", {10}}};

AttemptRow asking(int64_t worst, int64_t number = 1) {
  AttemptRow row = answered(0, number);
  row.worst_pico = worst;
  return row;
}

std::string held(const std::string& name) {
  return "SELECT held_pico FROM scopes WHERE name='" + name + "'";
}
std::string settled(const std::string& name) {
  return "SELECT settled_pico FROM scopes WHERE name='" + name + "'";
}

// Runs `body` in another process and waits for its end.
template <class Body>
void in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
}

}  // namespace

TEST_CASE("a hold counts until it is settled by what it cost") {
  const LedgerTest test;
  DecisionRow one = decision();
  Ledger ledger = test.open();
  REQUIRE(hold(ledger, one, asking(6), kTenADay, kNoon));
  CHECK(test.number(held("day/2026-11-28")) == 6);
  REQUIRE(ledger.record(one, std::vector{answered(2)}, kNoon));
  CHECK(test.number(held("day/2026-11-28")) == 0);
  CHECK(test.number(settled("day/2026-11-28")) == 2);
  CHECK(test.number("SELECT sum(charged_pico) FROM daily") == 2);
}

TEST_CASE("a worst case that does not fit is refused, and one that does not") {
  const LedgerTest test;
  Ledger ledger = test.open();
  DecisionRow one = decision(), two = decision(), three = decision();
  REQUIRE(hold(ledger, one, asking(6), kTenADay, kNoon));
  const auto refused = hold(ledger, two, asking(5), kTenADay, kNoon);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::kBudget);
  CHECK(test.number(held("day/2026-11-28")) == 6);
  CHECK(test.number("SELECT count(*) FROM decisions") == 1);
  CHECK(hold(ledger, three, asking(4), kTenADay, kNoon));
}

TEST_CASE("five of the last hundred requests have a hedge") {
  const LedgerTest test;
  Ledger ledger = test.open();
  AttemptRow hedge = asking(1, 2);
  hedge.hedge = 1;
  int64_t time = kNoon;
  const auto hedged = [&] {
    DecisionRow one = decision(++time);
    return hold(ledger, one, hedge, {}, time).has_value();
  };
  const auto others = [&](int count) {
    for (int i = 0; i < count; ++i) {
      DecisionRow one = decision(++time);
      REQUIRE(ledger.record(one, std::vector{answered(1)}, time));
    }
  };
  for (int i = 0; i < 5; ++i) REQUIRE(hedged());
  CHECK_FALSE(hedged());
  CHECK(test.number("SELECT count(*) FROM decisions") == 5);
  others(94);
  CHECK_FALSE(hedged());  // five of the 99 before it
  others(1);
  CHECK(hedged());  // four of them
}

TEST_CASE("every scope has its own ceiling") {
  struct Case {
    Ceiling ceiling;
    bool fits;
  };
  for (const Case& one :
       std::vector<Case>{{{Window::kRun, "", {10}}, false},
                         {{Window::kMonth, "", {10}}, false},
                         {{Window::kDay, "team=search", {10}}, false},
                         {{Window::kMonth, "team=search", {10}}, false},
                         {{Window::kDay, "team=ads", {10}}, true},
                         {{Window::kMonth, "", {11}}, true}}) {
    CAPTURE(one.ceiling.tag);
    const LedgerTest test;
    Ledger ledger = test.open();
    DecisionRow first = decision(), second = decision();
    first.run = second.run = "r";
    first.tags = second.tags = R"({"team":"search"})";
    REQUIRE(hold(ledger, first, asking(6), {}, kNoon));
    CHECK(hold(ledger, second, asking(5), std::vector{one.ceiling}, kNoon)
              .has_value() == one.fits);
  }
}

TEST_CASE("T4: hold and settlement are in the window of the hold") {
  const LedgerTest test;
  Ledger ledger = test.open();
  DecisionRow one = decision();
  REQUIRE(hold(ledger, one, asking(6), kTenADay, kNoon));
  REQUIRE(ledger.record(one, std::vector{answered(2)}, kNoon + 72 * kHour));
  CHECK(test.number(settled("day/2026-11-28")) == 2);
  CHECK(test.number(settled("month/2026-12")) == -1);
  CHECK(test.text("SELECT day FROM daily") == "2026-11-28");
}

TEST_CASE("a hold of a process that died is settled as its worst case") {
  const LedgerTest test;
  in_child([&] {
    Ledger ledger = test.open();
    DecisionRow one = decision();
    (void)hold(ledger, one, asking(6), kTenADay, kNoon);
  });
  Ledger ledger = test.open();
  CHECK(test.number(held("day/2026-11-28")) == 6);
  CHECK(settle_orphans(ledger).value() == 1);
  CHECK(settle_orphans(ledger).value() == 0);
  CHECK(test.number(held("day/2026-11-28")) == 0);
  CHECK(test.number(settled("day/2026-11-28")) == 6);
  CHECK(test.text("SELECT state FROM attempts") == "orphan");
  CHECK(test.number("SELECT unknown FROM daily") == 1);
}

TEST_CASE("an orphan whose outcome becomes known counts as that outcome") {
  const LedgerTest test;
  DecisionRow one = decision();
  Ledger ledger = test.open();
  REQUIRE(hold(ledger, one, asking(6), kTenADay, kNoon));
  REQUIRE(ledger.database().execute("UPDATE attempts_apart SET owner='b/1/1'"));
  REQUIRE(settle_orphans(ledger).value() == 1);
  REQUIRE(ledger.record(one, std::vector{answered(2)}, kNoon));
  CHECK(test.number(settled("day/2026-11-28")) == 2);
  CHECK(test.number("SELECT charged_pico FROM daily") == 2);
  CHECK(test.number("SELECT unknown FROM daily") == 0);
  CHECK(test.number("SELECT calls FROM daily") == 1);
}

TEST_CASE("K8: a process number that went to another is not taken for alive") {
  const std::string us = this_process();
  CHECK(may_be_alive(us));
  const size_t last = us.rfind('/');
  CHECK_FALSE(may_be_alive(us.substr(0, last) + "/1"));
  CHECK_FALSE(may_be_alive("other-boot" + us.substr(us.find('/'))));
  for (const char* nonsense : {"", "a", "a/b/c", "a/-1/c", "a/99999999999/c"}) {
    CHECK_FALSE(may_be_alive(nonsense));
  }
}

TEST_CASE("amounts that would overflow are refused, not wrapped") {
  const LedgerTest test;
  Ledger ledger = test.open();
  DecisionRow one = decision(), two = decision();
  REQUIRE(hold(ledger, one, asking(INT64_MAX), {}, kNoon));
  CHECK_FALSE(hold(ledger, two, asking(1), {}, kNoon));
  CHECK(test.number(held("day/2026-11-28")) == INT64_MAX);
}

// What every schedule must keep: never above the ceiling, and in the end the
// counters are the sums of the rows.
TEST_CASE("K1 K2: random schedules with deaths never exceed the ceiling") {
  std::mt19937 random(7);
  for (int schedule = 0; schedule < 40; ++schedule) {
    CAPTURE(schedule);
    const LedgerTest test;
    Ledger ledger = test.open();
    const std::vector<Ceiling> ceilings = {{Window::kDay, "", {100}}};
    std::vector<DecisionRow> open;
    for (int step = 0; step < 60; ++step) {
      const uint32_t what = random() % 8;
      if (what < 4) {
        DecisionRow one = decision();
        if (hold(ledger, one, asking(static_cast<int64_t>(random() % 40)),
                 ceilings, kNoon)) {
          open.push_back(one);
        }
      } else if (what < 7 && !open.empty()) {
        const auto worst = ledger.database().integer(
            "SELECT worst_pico FROM attempts WHERE decision='" +
            open.back().id + "'");
        REQUIRE(
            ledger.record(open.back(),
                          std::vector{answered(static_cast<int64_t>(random()) %
                                               (worst->value_or(0) + 1))},
                          kNoon));
        open.pop_back();
      } else if (what == 7 && !open.empty()) {
        REQUIRE(ledger.database().execute(
            "UPDATE attempts_apart SET owner='b/1/1' WHERE decision='" +
            open.back().id + "' AND state='held'"));
        REQUIRE(settle_orphans(ledger).value() == 1);
        open.pop_back();
      }
      const auto total = ledger.database().integer(
          "SELECT settled_pico+held_pico FROM scopes WHERE name LIKE 'day/%'");
      CHECK(total->value_or(0) <= 100);
    }
    CHECK(test.number("SELECT sum(charged_pico) FROM attempts") ==
          test.number("SELECT settled_pico+held_pico FROM scopes WHERE name "
                      "LIKE 'month/%'"));
    CHECK(test.number("SELECT coalesce(sum(charged_pico),0) FROM daily") ==
          test.number("SELECT settled_pico FROM scopes WHERE name LIKE "
                      "'month/%'"));
  }
}

}  // namespace llmroute::store
