// The routing of calls by learned latency, simulated with two models of equal
// quality.
#include "learning/latency.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <vector>

#include "core/experience.h"
#include "learning/random.h"

namespace llmroute::learning {
namespace {

constexpr double kPrior = 1;  // seconds, as in a registry
constexpr int kSeeds = 60;

using Delays = std::array<double, 2>;  // medians, seconds

struct Pair {
  std::array<Speed, 2> models;
  std::array<bool, 2> called{};
  Moment now;

  double expected(size_t m) const {
    if (!called[m]) return kPrior * unseen_share(now.calls, 2);
    const double best = kPrior * core::kBestShare;
    const double measured = models[m].first_token();
    return best + (measured - best) *
                      (measured > best ? models[m].freshness(now, 2) : 1);
  }
  size_t choose() const { return expected(0) <= expected(1) ? 0 : 1; }
  void add(size_t m, const CallSpeed& call, double gap_seconds) {
    models[m].add(call, now);
    called[m] = true;
    now.calls += 1;
    now.seconds += call.first_token + gap_seconds;
  }
};

double log_normal(double median, Random& random) {
  const double u = 1 - random.uniform();
  const double normal = std::sqrt(-2 * std::log(u)) *
                        std::cos(2 * std::numbers::pi * random.uniform());
  return median * std::exp(0.5 * normal);
}

// Who was called, `calls` times.
std::vector<size_t> simulate(uint64_t seed, int calls, double gap,
                             const std::function<Delays(int call)>& delays) {
  Random random(seed);
  Pair pair;
  std::vector<size_t> chosen;
  for (int call = 0; call < calls; ++call) {
    const size_t m = pair.choose();
    CallSpeed speed;
    speed.first_token = log_normal(delays(call)[m], random);
    pair.add(m, speed, gap);
    chosen.push_back(m);
  }
  return chosen;
}

double share(const std::vector<size_t>& chosen, size_t from, size_t to,
             size_t model) {
  double hits = 0;
  for (size_t i = from; i < to; ++i) hits += chosen[i] == model ? 1 : 0;
  return hits / static_cast<double>(to - from);
}

TEST_CASE(
    "OLR-5: the faster of two equal models is found, and found again "
    "after a swap") {
  for (const double gap : {0.0, 5.0, 60.0}) {
    for (const size_t fast : {0u, 1u}) {
      for (uint64_t seed = 0; seed < kSeeds; ++seed) {
        const int swap = 120 + static_cast<int>(seed % 40);
        const auto chosen = simulate(seed, swap + 130, gap, [&](int call) {
          Delays delays{0.4, 0.4};
          delays[(call < swap) == (fast == 0) ? 0 : 1] = 0.05;
          return delays;
        });
        CAPTURE(gap);
        CAPTURE(fast);
        CAPTURE(seed);
        CHECK(share(chosen, 20, 120, fast) >= 0.9);
        const auto after = static_cast<size_t>(swap) + 30;
        CHECK(share(chosen, after, after + 100, 1 - fast) >= 0.9);
      }
    }
  }
}

TEST_CASE("OLR-5: in a steady state at most 3 % of calls try the slow model") {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const auto chosen = simulate(seed, 1020, 0, [](int) {
      return Delays{0.9, 0.3};
    });
    CAPTURE(seed);
    CHECK(share(chosen, 20, 1020, 0) <= 0.03);
    CHECK(share(chosen, 20, 1020, 0) > 0);
  }
}

TEST_CASE(
    "OLR-7: a model that fails in 1 ms is never preferred to a healthy "
    "one at 300 ms") {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Random random(seed);
    Pair pair;
    int failed_after_first = 0, last_failure = -1000;
    for (int call = 0; call < 1000; ++call) {
      const size_t m = pair.choose();
      CallSpeed speed;
      speed.first_token = m == 0 ? 300 : log_normal(0.3, random);
      pair.add(m, speed, -speed.first_token + 0.001);
      if (m != 0) continue;
      if (last_failure >= 0) {
        CHECK(call - last_failure > 40);  // a try, not a preference
        ++failed_after_first;
      }
      last_failure = call;
    }
    CHECK(failed_after_first <= 10);
  }
}

TEST_CASE(
    "OLR-6: a model that fails 30 % of the time loses to one that fails "
    "1 %") {
  double worse = 0, calls = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Random random(seed);
    Pair pair;
    for (int call = 0; call < 500; ++call) {
      const size_t m = pair.choose();
      CallSpeed speed;
      const bool fails = random.uniform() < (m == 0 ? 0.3 : 0.01);
      speed.first_token = fails ? kLongestWait : log_normal(0.3, random);
      pair.add(m, speed, 0);
      worse += m == 0 ? 1 : 0;
      ++calls;
    }
  }
  CHECK(worse / calls < 0.2);
}

TEST_CASE("a mean is of first tokens, and of seconds per token after them") {
  Speed speed;
  CHECK_FALSE(speed.sane());
  speed.add({2, 100, 5, 7.0}, {0, 0});
  CHECK(speed.sane());
  CHECK(speed.first_token() == doctest::Approx(2));
  CHECK(*speed.per_token() == doctest::Approx(0.05));
  CHECK(*speed.whole.quantile(kMedian) == doctest::Approx(7));
  CHECK(*speed.whole.quantile(kNinetyPercent) == doctest::Approx(7));
  speed.add({300, 0, 0, {}}, {1, 1});
  CHECK(speed.first_token() > 30);
  CHECK(*speed.per_token() == doctest::Approx(0.05));
}

TEST_CASE("p50 and p90 are those of a log-normal distribution") {
  Random random(7);
  Speed speed;
  for (int i = 0; i < 4000; ++i) {
    const double whole = log_normal(2, random);
    speed.add({whole, 0, 0, whole}, {0, 0});
  }
  CHECK(*speed.whole.quantile(kMedian) == doctest::Approx(2).epsilon(0.05));
  CHECK(*speed.whole.quantile(kNinetyPercent) ==
        doctest::Approx(2 * std::exp(0.5 * kNinetyPercent)).epsilon(0.05));
}

TEST_CASE("X8: the 95 % of beginnings is of those that were seen") {
  Random random(8);
  Speed speed;
  speed.add({300, 0, 0, {}}, {0, 0});
  CHECK_FALSE(speed.first.quantile(kNinetyFivePercent));
  for (int i = 0; i < 4000; ++i) {
    speed.add({log_normal(2, random), 0, 0, {}, true}, {0, 0});
  }
  CHECK(*speed.first.quantile(kNinetyFivePercent) ==
        doctest::Approx(2 * std::exp(0.5 * kNinetyFivePercent)).epsilon(0.05));
}

TEST_CASE("freshness falls by calls and by time, slower among many models") {
  Speed speed;
  speed.add({1, 0, 0, {}}, {100, 1000});
  CHECK(speed.freshness({100, 1000}, 2) == 1);
  CHECK(speed.freshness({146, 1000}, 2) == doctest::Approx(std::exp(-1)));
  CHECK(speed.freshness({100, 87'400}, 2) == doctest::Approx(std::exp(-1)));
  CHECK(speed.freshness({192, 1000}, 3) == doctest::Approx(std::exp(-1)));
  CHECK(speed.freshness({1000, 1000}, 2) < 1e-8);
  CHECK(speed.freshness({50, 500}, 2) == 1);  // a clock set back
}

TEST_CASE("RL-7: sums that make no sense are not sane, and forgotten") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinite = std::numeric_limits<double>::infinity();
  for (const double bad : {nan, infinite, -1.0, 1e300}) {
    for (double Speed::Sums::*member :
         {&Speed::Sums::weight, &Speed::Sums::first_token, &Speed::Sums::tokens,
          &Speed::Sums::token_seconds}) {
      Speed speed;
      speed.add({1, 10, 1, 2.0}, {0, 0});
      speed.slow.*member = bad;
      CHECK_FALSE(speed.sane());
      speed.add({3, 10, 1, 2.0}, {1, 1});
      CHECK(speed.sane());
      CHECK(speed.first_token() == doctest::Approx(3));
    }
  }
}

}  // namespace
}  // namespace llmroute::learning
