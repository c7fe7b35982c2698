#include "learning/solver.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "learning/random.h"

using doctest::Approx;
using llmroute::learning::Entry;
using llmroute::learning::HeadWeights;
using llmroute::learning::level_bounds;
using llmroute::learning::Problem;
using llmroute::learning::Random;
using llmroute::learning::Sample;
using llmroute::learning::Solution;
using llmroute::learning::solve;
using llmroute::learning::SolverOptions;

namespace {

constexpr size_t kModels = 4;
constexpr double kAbility[kModels] = {-1.5, -0.5, 0.5, 1.5};

Problem empty_problem() {
  Problem problem;
  problem.layout.family_of = {1, 1, 0, 0, 2, 3, 3, 3, 1};
  problem.bucket_bits = 6;
  problem.dense_count = 2;
  problem.tells_domain = {true, true};
  problem.source_count = 1;
  return problem;
}

Sample& add(Problem& problem, const std::vector<uint32_t>& rows, float x,
            float y) {
  Sample sample;
  sample.entry_begin = static_cast<uint32_t>(problem.entries.size());
  for (const uint32_t row : rows) {
    Entry entry{};
    entry.row = row & 0xffffff;
    entry.count = 1;
    problem.entries.push_back(entry);
  }
  sample.edge_begin = sample.entry_end =
      static_cast<uint32_t>(problem.entries.size());
  sample.norm = 1 / std::sqrt(static_cast<float>(rows.size()));
  sample.coverage = 1;
  sample.dense = static_cast<uint32_t>(problem.samples.size());
  problem.dense.insert(problem.dense.end(), {x, y});
  problem.samples.push_back(sample);
  return problem.samples.back();
}

void add_outcomes(Problem& problem, Sample& sample, double difficulty,
                  Random& random) {
  sample.outcome_begin = static_cast<uint32_t>(problem.outcomes.size());
  for (uint32_t m = 0; m < kModels; ++m) {
    const double p = 1 / (1 + std::exp(-1.1 * (kAbility[m] - difficulty)));
    problem.outcomes.push_back({m, random.uniform() < p ? 1.0F : 0.0F});
  }
  sample.outcome_end = static_cast<uint32_t>(problem.outcomes.size());
}

// Difficulty 2x - 1 for x in 0..1, answered by four models, of which the last
// two are known; half the prompts are mathematics and have n-gram 3.
Problem outcomes_problem() {
  Problem problem = empty_problem();
  Random random(2);
  for (int i = 0; i < 6000; ++i) {
    const auto x = static_cast<float>(random.uniform());
    const bool math = random.below(2) == 0;
    Sample& sample = add(problem, {math ? 3U : 5U, 7U}, x, 0);
    sample.domain = math ? 2 : 4;
    add_outcomes(problem, sample, 2 * static_cast<double>(x) - 1, random);
  }
  for (size_t m = 0; m < kModels; ++m) {
    llmroute::core::PerDomain ability;
    ability.fill(kAbility[m]);
    problem.known_ability.push_back(m >= 2 ? std::optional(ability)
                                           : std::nullopt);
  }
  return problem;
}

// The difficulty of a prompt without n-grams.
double difficulty(const Problem& problem, const Solution& s, float x,
                  size_t domain) {
  const size_t family =
      problem.layout.family + problem.layout.family_of[domain];
  const auto head = [&](size_t h) {
    return static_cast<double>(s.bias[h] + x * s.dense[0][h]);
  };
  return head(problem.layout.difficulty) + head(family) +
         static_cast<double>(s.base[domain]);
}

bool equal(const Solution& a, const Solution& b) {
  return std::memcmp(a.rows.data(), b.rows.data(),
                     a.rows.size() * sizeof(HeadWeights)) == 0 &&
         std::memcmp(a.dense.data(), b.dense.data(),
                     a.dense.size() * sizeof(HeadWeights)) == 0 &&
         a.bias == b.bias && a.base == b.base && a.intercept == b.intercept;
}

}  // namespace

TEST_CASE("difficulty and unknown abilities are recovered from outcomes") {
  const Problem problem = outcomes_problem();
  const Solution s = solve(problem, {});
  const double easy = difficulty(problem, s, 0.1F, 2);
  const double hard = difficulty(problem, s, 0.9F, 2);
  CHECK(easy == Approx(-0.8).epsilon(0.35).scale(1));
  CHECK(hard == Approx(0.8).epsilon(0.35).scale(1));
  CHECK(s.ability[0][2] == Approx(-1.5).epsilon(0.3).scale(1));
  CHECK(s.ability[1][2] == Approx(-0.5).epsilon(0.3).scale(1));
  CHECK(s.ability[2][0] == 0.5);
  CHECK(s.ability[3][8] == 1.5);
}

TEST_CASE("domains are learned from n-grams") {
  const Problem problem = outcomes_problem();
  const Solution s = solve(problem, {});
  CHECK(s.rows[3][2] - s.rows[3][4] > 1);
  CHECK(s.rows[5][4] - s.rows[5][2] > 1);
  CHECK(s.rows[9] == HeadWeights{});
}

TEST_CASE("the same problem gives the same bytes on any number of threads") {
  const Problem problem = outcomes_problem();
  SolverOptions options;
  const Solution first = solve(problem, options);
  CHECK(first.converged);
  for (options.threads = 2; options.threads <= 5; ++options.threads) {
    CHECK(equal(first, solve(problem, options)));
  }
}

TEST_CASE("levels bound the difficulty, numbers name it") {
  Problem problem = empty_problem();
  for (int i = 0; i < 900; ++i) {
    const auto x = static_cast<float>(i % 3);
    Sample& sample = add(problem, {1}, x, 0);
    sample.domain = 0;
    if (i % 3 == 1) {
      sample.difficulty = 1.5F;
    } else {
      sample.level = i % 3 == 0 ? int8_t{0} : int8_t{2};
    }
  }
  const Solution s = solve(problem, {});
  CHECK(difficulty(problem, s, 0, 0) < -2);
  CHECK(difficulty(problem, s, 2, 0) > 0);
  CHECK(difficulty(problem, s, 1, 0) > difficulty(problem, s, 0, 0));
}

TEST_CASE("of two difficulties the surer one counts for more") {
  Problem problem = empty_problem();
  for (int i = 0; i < 900; ++i) {
    Sample& sample = add(problem, {1}, 1, 0);
    sample.domain = 0;
    sample.difficulty = i % 3 == 0 ? 1.5F : -1.5F;
  }
  const double before = difficulty(problem, solve(problem, {}), 1, 0);
  for (size_t i = 0; i < 900; i += 3) {
    problem.samples[i].difficulty_weight = 16;
  }
  const double after = difficulty(problem, solve(problem, {}), 1, 0);
  CHECK(before < 0);
  CHECK(after > 0.5);
}

TEST_CASE("bounds of levels follow one another") {
  CHECK(level_bounds(0, true).high < level_bounds(0, false).high);
  CHECK(level_bounds(0, false).high == level_bounds(1, false).low);
  CHECK(level_bounds(1, false).high == level_bounds(2, false).low);
}

TEST_CASE("the answer's length is learned as a logarithm") {
  Problem problem = empty_problem();
  for (int i = 0; i < 2000; ++i) {
    const auto x = static_cast<float>(i % 2);
    add(problem, {1}, x, 0).log_tokens = x == 0 ? 3.0F : 6.0F;
  }
  const Solution s = solve(problem, {});
  const size_t h = problem.layout.length;
  CHECK(s.bias[h] + s.rows[1][h] == Approx(3).epsilon(0.1));
  CHECK(s.bias[h] + s.dense[0][h] + s.rows[1][h] == Approx(6).epsilon(0.1));
}

TEST_CASE("features that do not tell the domain get no weight for it") {
  Problem problem = outcomes_problem();
  for (size_t i = 0; i < problem.samples.size(); ++i) {
    problem.dense[2 * i + 1] = problem.samples[i].domain == 2 ? 1.0F : 0.0F;
  }
  CHECK(std::fabs(solve(problem, {}).dense[1][2]) > 0.1F);
  problem.tells_domain = {true, false};
  CHECK(solve(problem, {}).dense[1][2] == 0);
}

TEST_CASE("weights are pulled to those of an initial model") {
  const Problem problem = outcomes_problem();
  const Solution first = solve(problem, {});
  SolverOptions on;
  on.initial = &first;
  on.difficulty = {1e6, 1e6};
  const Solution same = solve(problem, on);
  for (const float x : {0.1F, 0.9F}) {
    CHECK(difficulty(problem, same, x, 2) ==
          Approx(difficulty(problem, first, x, 2)).epsilon(0.1).scale(1));
  }
  CHECK(same.rows[3][2] - same.rows[3][4] >
        first.rows[3][2] - first.rows[3][4] - 0.1F);
}

TEST_CASE("progress is told every iteration, with a falling loss") {
  const Problem problem = outcomes_problem();
  SolverOptions options;
  std::map<std::string, std::vector<double>> values;
  options.progress = [&](std::string_view what, uint32_t iteration,
                         double value) {
    std::vector<double>& of_head = values[std::string(what)];
    of_head.push_back(value);
    CHECK(iteration == of_head.size());
  };
  solve(problem, options);
  REQUIRE(values.size() == 2);  // no row has an answer's length
  for (const auto& [what, of_head] : values) {
    CAPTURE(what);
    CHECK(std::is_sorted(of_head.rbegin(), of_head.rend()));
    CHECK(of_head.back() < of_head.front());
  }
}
