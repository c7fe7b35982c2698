#include "core/breaker.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>

namespace llmroute::core {
namespace {

using std::chrono::seconds;
using State = Breaker::State;

constexpr double kMiddle = 0.5;  // the pause as it stands
const Breaker::Time kStart{seconds(1000)};

// Opened at kStart, for kFirstPause.
Breaker opened() {
  Breaker breaker;
  for (int i = 1; i < Breaker::kConsecutive; ++i) {
    CHECK(!breaker.start(kStart));
    CHECK(!breaker.fail(kStart, false, kMiddle));
  }
  CHECK(breaker.fail(kStart, false, kMiddle));
  return breaker;
}

}  // namespace

TEST_CASE("five failures in a row open it for 5 s; a probe closes it") {
  Breaker breaker = opened();
  const auto later = kStart + Breaker::kFirstPause;
  CHECK(!breaker.allows(later - seconds(1)));
  CHECK(breaker.state(later) == State::kHalfOpen);
  REQUIRE(breaker.start(later));
  CHECK(!breaker.allows(later));
  breaker.succeed(later, true);
  CHECK(breaker.state(later) == State::kClosed);
}

TEST_CASE("a probe that fails keeps it open for twice as long") {
  Breaker breaker = opened();
  const auto later = kStart + Breaker::kFirstPause;
  REQUIRE(breaker.start(later));
  CHECK(breaker.fail(later, true, kMiddle));
  CHECK(breaker.until() == later + 2 * Breaker::kFirstPause);
}

TEST_CASE("half of at least ten calls within 60 s open it") {
  // Two fail, two do not, and so on: never five in a row.
  const auto opens_after = [](int calls, seconds apart) {
    Breaker breaker;
    bool opened = false;
    for (int i = 0; i < calls; ++i) {
      const auto now = kStart + i * apart;
      if (i % 4 < 2) {
        breaker.succeed(now, false);
      } else {
        opened = breaker.fail(now, false, kMiddle);
      }
    }
    return opened;
  };
  CHECK(!opens_after(8, seconds(1)));
  CHECK(!opens_after(11, seconds(1)));  // 6 of 11 were answered
  CHECK(opens_after(12, seconds(1)));
  CHECK(!opens_after(12, seconds(8)));  // 60 s hold 8 of them at most
}

TEST_CASE("its pause doubles up to 300 s, spread by a fifth") {
  for (const auto& [random, share] :
       {std::pair(0.0, 0.8), std::pair(0.5, 1.0), std::pair(1.0, 1.2)}) {
    CAPTURE(random);
    Breaker breaker;
    for (int i = 0; i < Breaker::kConsecutive; ++i) {
      breaker.fail(kStart, false, random);
    }
    auto now = kStart;
    for (const int pause : {5, 10, 20, 40, 80, 160, 300, 300, 300}) {
      CAPTURE(pause);
      const std::chrono::duration<double> open = breaker.until() - now;
      CHECK(open.count() == doctest::Approx(pause * share));
      now = breaker.until();
      REQUIRE(breaker.start(now));
      REQUIRE(breaker.fail(now, true, random));
    }
  }
}

TEST_CASE("five successes in a row end the doubling, four do not") {
  for (const int successes : {4, 5}) {
    CAPTURE(successes);
    Breaker breaker = opened();
    auto now = breaker.until();
    REQUIRE(breaker.start(now));
    for (int i = 0; i < successes; ++i) breaker.succeed(now, i == 0);
    for (int i = 0; i < Breaker::kConsecutive; ++i) {
      breaker.fail(now, false, kMiddle);
    }
    CHECK(breaker.until() - now == seconds(successes == 5 ? 5 : 10));
  }
}

TEST_CASE("open for more than 360 s from now is closed") {
  const Breaker breaker = opened();
  const auto unpacked = [&](Breaker::Time now) {
    return Breaker::unpack(breaker.pack(), now)->state(now);
  };
  CHECK(unpacked(kStart) == State::kOpen);
  CHECK(unpacked(breaker.until() - seconds(360)) == State::kOpen);
  CHECK(unpacked(breaker.until() - seconds(361)) == State::kClosed);
  CHECK(!Breaker::unpack("1 2 3", kStart));
  CHECK(!Breaker::unpack("", kStart));
}

TEST_CASE("calls from before it opened do not decide for the probe") {
  const auto later = kStart + Breaker::kFirstPause;
  for (const bool probing : {false, true}) {
    CAPTURE(probing);
    Breaker breaker = opened();
    if (probing) REQUIRE(breaker.start(later));
    breaker.succeed(later, false);
    CHECK(breaker.state(later) == State::kHalfOpen);
    CHECK(!breaker.fail(later, false, kMiddle));
    CHECK(breaker.state(later) == State::kHalfOpen);
    breaker.forget(false);
    CHECK(breaker.allows(later) != probing);
    breaker.forget(true);
    CHECK(breaker.allows(later));
  }
}

TEST_CASE("what it remembers goes into a text and comes back") {
  Breaker breaker = opened();
  const auto soon = kStart + seconds(1);
  const auto again = Breaker::unpack(breaker.pack(), soon);
  REQUIRE(again);
  CHECK(again->pack() == breaker.pack());
  CHECK(again->state(soon) == State::kOpen);
  CHECK(again->state(kStart + Breaker::kFirstPause) == State::kHalfOpen);
}

TEST_CASE("RL-7: a text that no breaker wrote is none, or closed") {
  const std::string slices = " -1 0 0 -1 0 0 -1 0 0 -1 0 0 -1 0 0 -1 0 0";
  for (const char* text : {"", "0", "1 5 0 1 x", "1 5 0 1 -2", "1 5  0 1 9",
                           "1 5 0 1 99999999999999999999"}) {
    CAPTURE(text);
    CHECK(!Breaker::unpack(text + slices, kStart));
    CHECK(!Breaker::unpack(text, kStart));
  }
  // Until far ahead: a clock was wrong.
  for (const char* until :
       {"2000000", "9007199254740992", "9223372036854775807"}) {
    CAPTURE(until);
    const auto breaker =
        Breaker::unpack(std::string("1 5 0 1 ") + until + slices, kStart);
    REQUIRE(breaker);
    CHECK(breaker->state(kStart) == State::kClosed);
  }
}

}  // namespace llmroute::core
