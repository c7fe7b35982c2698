#include "core/breaker.h"

#include <doctest/doctest.h>

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

TEST_CASE("3.4: five failures in a row open it for 5 s; a probe closes it") {
  Breaker breaker = opened();
  const auto later = kStart + Breaker::kFirstPause;
  CHECK(!breaker.allows(later - seconds(1)));
  CHECK(breaker.state(later) == State::kHalfOpen);
  REQUIRE(breaker.start(later));
  CHECK(!breaker.allows(later));
  breaker.succeed(later, true);
  CHECK(breaker.state(later) == State::kClosed);
}

TEST_CASE("3.4: a probe that fails keeps it open for twice as long") {
  Breaker breaker = opened();
  const auto later = kStart + Breaker::kFirstPause;
  REQUIRE(breaker.start(later));
  CHECK(breaker.fail(later, true, kMiddle));
  CHECK(breaker.until() == later + 2 * Breaker::kFirstPause);
}

TEST_CASE("3.4: calls from before it opened do not decide for the probe") {
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

}  // namespace llmroute::core
