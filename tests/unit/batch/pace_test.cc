#include "batch/pace.h"

#include <doctest/doctest.h>

namespace llmroute::batch {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

const Pace::Time kNow{hours(24 * 365)};

PaceLimits tokens(double per_minute) {
  PaceLimits limits;
  limits.tokens_per_minute = per_minute;
  return limits;
}

}  // namespace

TEST_CASE("tokens a minute space requests by estimate, then by what was used") {
  Pace pace(tokens(6000));
  pace.start(1000, kNow);
  CHECK(pace.ready() == kNow + seconds(10));
  pace.end(1000, 100);
  CHECK(pace.ready() == kNow + seconds(1));
}

TEST_CASE("the smallest pace is a long wait and not none") {
  Pace pace(tokens(1e-9));
  pace.start(1 << 20, kNow);
  CHECK(pace.ready() > kNow + hours(24));
  pace.end(1 << 20, 0);
  CHECK(pace.ready() >= kNow);
}

TEST_CASE("twenty retries are in hand, two for one after a time-out") {
  Pace pace{PaceLimits{}};
  for (int i = 0; i < 20; ++i) CHECK(pace.spend_retry(false));
  CHECK(!pace.spend_retry(false));
  for (int i = 0; i < 11; ++i) pace.succeed();
  CHECK(pace.spend_retry(true));
  CHECK(!pace.spend_retry(false));
}

}  // namespace llmroute::batch
