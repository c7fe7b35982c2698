#include "learning/outcome_heads.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "learning/logistic.h"
#include "learning/random.h"

using doctest::Approx;
using llmroute::learning::Entry;
using llmroute::learning::features_of;
using llmroute::learning::OutcomeHeads;
using llmroute::learning::OutcomeHeadsOptions;
using llmroute::learning::Problem;
using llmroute::learning::Random;
using llmroute::learning::Sample;
using llmroute::learning::sigmoid;

namespace {

// Model 0 succeeds with sigmoid(2 - 3x), model 1 with sigmoid(x), model 2 never
// answers; every prompt has n-gram 3 or 5, and those with 5 are harder by 2.
Problem three_models(int rows) {
  Problem problem;
  problem.bucket_bits = 6;
  problem.dense_count = 1;
  Random random(7);
  for (int i = 0; i < rows; ++i) {
    const double x = random.uniform() * 2;
    const bool hard = random.below(2) == 0;
    Sample sample;
    sample.entry_begin = static_cast<uint32_t>(problem.entries.size());
    Entry entry{};
    entry.row = hard ? 5 : 3;
    entry.count = 1;
    problem.entries.push_back(entry);
    sample.edge_begin = sample.entry_end =
        static_cast<uint32_t>(problem.entries.size());
    sample.norm = 1;
    sample.dense = static_cast<uint32_t>(problem.samples.size());
    problem.dense.push_back(static_cast<float>(x));
    sample.outcome_begin = static_cast<uint32_t>(problem.outcomes.size());
    const double z[] = {2 - 3 * x - (hard ? 2 : 0), x - (hard ? 2 : 0)};
    for (uint32_t m = 0; m < 2; ++m) {
      const bool good = random.uniform() < sigmoid(z[m]);
      problem.outcomes.push_back({m, good ? 1.0F : 0.0F});
    }
    sample.outcome_end = static_cast<uint32_t>(problem.outcomes.size());
    problem.samples.push_back(sample);
  }
  return problem;
}

std::vector<uint32_t> all_of(const Problem& problem) {
  std::vector<uint32_t> rows;
  for (uint32_t i = 0; i < problem.samples.size(); ++i) rows.push_back(i);
  return rows;
}

double mean_error(const OutcomeHeads& heads, const Problem& problem, size_t m) {
  double sum = 0;
  for (uint32_t i = 0; i < problem.samples.size(); ++i) {
    const auto x = static_cast<double>(problem.dense[i]);
    const bool hard = problem.entries[problem.samples[i].entry_begin].row == 5;
    const double z = (m == 0 ? 2 - 3 * x : x) - (hard ? 2 : 0);
    sum += std::fabs(heads.chances(features_of(problem, i))[m] - sigmoid(z));
  }
  return sum / static_cast<double>(problem.samples.size());
}

}  // namespace

TEST_CASE("each model gets the head that made its outcomes") {
  const Problem problem = three_models(5000);
  const std::vector<uint32_t> models = {0, 1};
  const OutcomeHeads heads =
      OutcomeHeads::fit(problem, all_of(problem), models, {});
  CHECK(mean_error(heads, problem, 0) < 0.03);
  CHECK(mean_error(heads, problem, 1) < 0.03);
}

TEST_CASE("models that are not asked for leave no trace") {
  const Problem problem = three_models(500);
  const std::vector<uint32_t> both = {1, 0}, one = {1};
  OutcomeHeadsOptions alone;
  alone.sharing = 1e-9;
  const OutcomeHeads first =
      OutcomeHeads::fit(problem, all_of(problem), both, alone);
  const OutcomeHeads second =
      OutcomeHeads::fit(problem, all_of(problem), one, alone);
  for (const uint32_t row : {0U, 100U, 499U}) {
    CHECK(first.chances(features_of(problem, row))[0] ==
          Approx(second.chances(features_of(problem, row))[0]).epsilon(0.01));
  }
}

TEST_CASE(
    "with few outcomes of a model the others' tell how hard a prompt is") {
  const Problem many = three_models(4000);
  Problem problem = many;
  for (uint32_t i = 40; i < problem.samples.size(); ++i) {
    ++problem.samples[i].outcome_begin;  // model 1 only
  }
  const std::vector<uint32_t> models = {0, 1};
  OutcomeHeadsOptions shared, alone;
  alone.sharing = 1e-9;
  const OutcomeHeads with =
      OutcomeHeads::fit(problem, all_of(problem), models, shared);
  const OutcomeHeads without =
      OutcomeHeads::fit(problem, all_of(problem), models, alone);
  const auto gap = [&](const OutcomeHeads& heads) {  // of easy over hard
    double sum = 0;
    for (uint32_t i = 0; i < many.samples.size(); ++i) {
      const bool hard = many.entries[many.samples[i].entry_begin].row == 5;
      const double p = heads.chances(features_of(many, i))[0];
      sum += hard ? -p : p;
    }
    return sum;
  };
  CHECK(gap(with) > gap(without));
}

namespace {

// Models of abilities -2, -1, 0, 1 and 2 on prompts half of which tell them
// apart (n-gram 3) and half of which are a gamble for all (n-gram 5).
Problem five_models(int rows) {
  Problem problem;
  problem.bucket_bits = 6;
  Random random(11);
  for (int i = 0; i < rows; ++i) {
    const bool gamble = random.below(2) == 0;
    Sample sample;
    sample.entry_begin = static_cast<uint32_t>(problem.entries.size());
    Entry entry{};
    entry.row = gamble ? 5 : 3;
    entry.count = 1;
    problem.entries.push_back(entry);
    sample.edge_begin = sample.entry_end =
        static_cast<uint32_t>(problem.entries.size());
    sample.norm = 1;
    sample.outcome_begin = static_cast<uint32_t>(problem.outcomes.size());
    for (uint32_t m = 0; m < 5; ++m) {
      const double z = gamble ? 0 : 2 * (static_cast<double>(m) - 2);
      const bool good = random.uniform() < sigmoid(z);
      problem.outcomes.push_back({m, good ? 1.0F : 0.0F});
    }
    sample.outcome_end = static_cast<uint32_t>(problem.outcomes.size());
    problem.samples.push_back(sample);
  }
  return problem;
}

// By how much model 4 beats model 0 on the prompts with an n-gram.
double gap_on(const OutcomeHeads& heads, const Problem& problem, uint32_t row) {
  for (uint32_t i = 0; i < problem.samples.size(); ++i) {
    if (problem.entries[problem.samples[i].entry_begin].row != row) continue;
    const std::vector<double> p = heads.chances(features_of(problem, i));
    return p[1] - p[0];
  }
  return 0;
}

}  // namespace

TEST_CASE("a model whose outcomes are not known routes by its ability") {
  const Problem problem = five_models(4000);
  const std::vector<uint32_t> models = {0, 4};
  OutcomeHeadsOptions options;
  options.unseen = true;
  options.gram_penalty = 0.1;
  const OutcomeHeads two =
      OutcomeHeads::fit(problem, all_of(problem), models, options);
  options.directions = 1;
  const OutcomeHeads one =
      OutcomeHeads::fit(problem, all_of(problem), models, options);
  // One difficulty cannot say that only half of the prompts need the model.
  CHECK(gap_on(two, problem, 3) > gap_on(two, problem, 5) + 0.3);
  CHECK(gap_on(one, problem, 3) < gap_on(one, problem, 5) + 0.1);

  Problem turned = problem;  // outcomes of the two themselves do not matter
  for (size_t o = 0; o < turned.outcomes.size(); o += 10) {
    std::swap(turned.outcomes[o].score, turned.outcomes[o + 5].score);
    std::swap(turned.outcomes[o + 4].score, turned.outcomes[o + 9].score);
  }
  options.directions = 2;
  const OutcomeHeads same =
      OutcomeHeads::fit(turned, all_of(turned), models, options);
  CHECK(gap_on(same, problem, 3) == Approx(gap_on(two, problem, 3)));
}

TEST_CASE("the mean chance of an unseen model is its mean score") {
  const Problem problem = five_models(2000);
  const std::vector<uint32_t> models = {1, 3};
  OutcomeHeadsOptions options;
  options.unseen = true;
  const OutcomeHeads heads =
      OutcomeHeads::fit(problem, all_of(problem), models, options);
  double chance[2] = {}, score[2] = {};
  for (uint32_t i = 0; i < problem.samples.size(); ++i) {
    const std::vector<double> p = heads.chances(features_of(problem, i));
    for (size_t m = 0; m < 2; ++m) {
      chance[m] += p[m];
      const uint32_t outcome = problem.samples[i].outcome_begin + models[m];
      score[m] += static_cast<double>(problem.outcomes[outcome].score);
    }
  }
  for (size_t m = 0; m < 2; ++m) {
    CHECK(chance[m] == Approx(score[m]).epsilon(1e-6));
  }
}

TEST_CASE("any number of threads gives the same chances") {
  const Problem problem = three_models(300);
  const std::vector<uint32_t> models = {0, 1};
  OutcomeHeadsOptions options;
  const OutcomeHeads one =
      OutcomeHeads::fit(problem, all_of(problem), models, options);
  options.threads = 3;
  const OutcomeHeads three =
      OutcomeHeads::fit(problem, all_of(problem), models, options);
  for (uint32_t i = 0; i < 300; ++i) {
    REQUIRE(one.chances(features_of(problem, i)) ==
            three.chances(features_of(problem, i)));
  }
}
