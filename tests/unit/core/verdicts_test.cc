// Learning from verdicts, simulated: two domains, two models, each good in one.
#include "core/verdicts.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/cell.h"
#include "core/reward.h"
#include "learning/random.h"
#include "routing/experience.h"

namespace llmroute::core {
namespace {

constexpr double kPrior = 0.7;  // by abilities, the same for both
constexpr double kShare = 0.05;

using Chances = std::array<std::array<double, 2>, 2>;  // [domain][model]

struct World {
  explicit World(uint64_t seed) : random(seed) {}

  double mean(size_t domain, size_t model) const {
    return verdicts[domain][model].mean(kPrior, count[domain]);
  }
  size_t best(size_t domain) const {
    return mean(domain, 0) >= mean(domain, 1) ? 0 : 1;
  }
  // As routing::explore() does, with an answer worth 1 that costs nothing.
  size_t choose(size_t domain) {
    Decision decision;
    decision.worth.good_answer = 1;
    for (const size_t model : {best(domain), 1 - best(domain)}) {
      Candidate candidate;
      candidate.model = &models[model];
      candidate.cost = Money{};
      candidate.worth = mean(domain, model);
      decision.candidates.push_back(candidate);
    }
    routing::explore({kShare, random.uniform()}, decision);
    return static_cast<size_t>(decision.candidates.front().model -
                               models.data());
  }
  void step(const Chances& chances) {
    const size_t domain = random.below(2);
    const size_t model = choose(domain);
    const double good = random.uniform() < chances[domain][model] ? 1 : 0;
    verdicts[domain][model].add(good, count[domain]++);
    const auto& here = chances[domain];
    const double top = std::max(here[0], here[1]);
    regret += top - here[model];
    regret_of_random += top - (here[0] + here[1]) / 2;
  }
  int right(const Chances& chances) const {
    int right = 0;
    for (const size_t domain : {0u, 1u}) {
      right += chances[domain][best(domain)] > 0.7 ? 1 : 0;
    }
    return right;
  }

  learning::Random random;
  std::array<Model, 2> models;
  std::array<std::array<Verdicts, 2>, 2> verdicts;
  std::array<double, 2> count{};
  double regret = 0, regret_of_random = 0;
};

constexpr Chances kBefore = {{{0.9, 0.5}, {0.5, 0.9}}};
constexpr Chances kAfter = {{{0.5, 0.9}, {0.9, 0.5}}};

}  // namespace

TEST_CASE("RL-2: after 200 verdicts the right model is found in both domains") {
  int both = 0;
  double regret = 0, of_random = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    World world(seed);
    for (int i = 0; i < 200; ++i) world.step(kBefore);
    both += world.right(kBefore) == 2 ? 1 : 0;
    regret += world.regret;
    of_random += world.regret_of_random;
  }
  CHECK(both >= 95);
  CHECK(regret < 0.25 * of_random);
}

TEST_CASE("RL-3: two half-lives after a swap at step 500 it is right again") {
  int right = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    World world(seed);
    for (int i = 0; i < 500; ++i) world.step(kBefore);
    const auto start = world.count;
    const auto passed = [&](size_t domain) {
      return world.count[domain] - start[domain] >= 2 * kHalfLife;
    };
    while (!passed(0) || !passed(1)) world.step(kAfter);
    right += world.right(kAfter);
  }
  CHECK(right >= 0.9 * 200);
}

TEST_CASE("RL-4: other weights judge the same outcomes without new data") {
  const std::array<Outcome, 2> dear_and_cheap = {
      {{0.9, 0.03, 2}, {0.6, 0.001, 1}}};
  const auto better = [&](const Worth& worth) {
    return reward(dear_and_cheap[0], worth) > reward(dear_and_cheap[1], worth);
  };
  CHECK(better({1, 0.0005}));
  CHECK_FALSE(better({0.05, 0.0005}));
  CHECK_FALSE(better({1, 0.5}));
}

TEST_CASE("without verdicts the mean is the prior, with many it is theirs") {
  Verdicts verdicts;
  CHECK(verdicts.mean(0.3, 0) == doctest::Approx(0.3));
  for (int i = 0; i < 1000; ++i) verdicts.add(1, i);
  CHECK(verdicts.mean(0.3, 1000) > 0.95);
  CHECK(verdicts.mean(0.3, 1000 + 20 * kHalfLife) < 0.31);
  CHECK(correction_of(0.3, 0.3) == doctest::Approx(0));
  CHECK(correction_of(0.3, 0.6) > 0);
  CHECK(correction_of(0, 0.6) == 0);
  CHECK(std::isfinite(correction_of(0.5, 1)));
}

TEST_CASE("RL-7: verdicts that make no sense are not sane, and forgotten") {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(),
        std::numeric_limits<double>::infinity(), -1.0, 1e300}) {
    for (double Verdicts::*member :
         {&Verdicts::good, &Verdicts::bad, &Verdicts::at}) {
      Verdicts verdicts;
      verdicts.*member = bad;
      CHECK_FALSE(verdicts.sane());
      verdicts.add(1, 5);
      CHECK(verdicts.sane());
      CHECK(verdicts.good == 1);
    }
  }
}

TEST_CASE("levels of difficulty are one logit wide") {
  for (const auto& [difficulty, level] : {std::pair(-9.0, 0),
                                          {-1.4, 1},
                                          {-0.6, 1},
                                          {-0.5, 2},
                                          {0.49, 2},
                                          {0.5, 3},
                                          {1.5, 4},
                                          {9.0, 4}}) {
    CAPTURE(difficulty);
    CHECK(level_of(difficulty) == level);
  }
  CHECK(level_of(std::numeric_limits<double>::quiet_NaN()) == 2);
}

}  // namespace llmroute::core
