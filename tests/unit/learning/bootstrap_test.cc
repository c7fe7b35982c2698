#include "learning/bootstrap.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "learning/random.h"

using doctest::Approx;
using llmroute::learning::bootstrap_apgr;
using llmroute::learning::fine_metrics;
using llmroute::learning::for_each_resample;
using llmroute::learning::interval_95;
using llmroute::learning::PairRanking;
using llmroute::learning::PairRow;
using llmroute::learning::Random;
using llmroute::learning::resampled_means;

namespace {

std::vector<PairRow> random_rows(size_t n, uint64_t seed) {
  Random random(seed);
  std::vector<PairRow> rows;
  for (size_t i = 0; i < n; ++i) {
    // Scores of one digit, so that many tie.
    rows.push_back({static_cast<double>(random.below(10)),
                    random.uniform() < 0.8 ? 1.0 : 0.0,
                    random.uniform() < 0.5 ? 1.0 : 0.0});
  }
  return rows;
}

std::vector<uint64_t> distinct(size_t count) {
  std::vector<uint64_t> prompts(count);
  std::iota(prompts.begin(), prompts.end(), 0);
  return prompts;
}

}  // namespace

TEST_CASE("the interval is repeatable and holds the value") {
  const std::vector<PairRow> rows = random_rows(300, 9);
  const std::vector<uint64_t> each = distinct(rows.size());
  const auto first = bootstrap_apgr(rows, each, {.count = 200});
  const auto second = bootstrap_apgr(rows, each, {.count = 200, .threads = 3});
  CHECK(first.low == second.low);
  CHECK(first.high == second.high);
  CHECK(first.low < fine_metrics(rows).apgr);
  CHECK(first.high > fine_metrics(rows).apgr);
  const auto other = bootstrap_apgr(rows, each, {.seed = 2, .count = 200});
  CHECK(other.low != first.low);
  const std::vector<PairRow> one = {{1, 1, 1}};
  CHECK(bootstrap_apgr(one, distinct(1), {.count = 10}).low == 0);
}

TEST_CASE("copies of a prompt make an interval no narrower") {
  const std::vector<PairRow> rows = random_rows(300, 9);
  const auto alone = bootstrap_apgr(rows, distinct(300), {.count = 200});
  std::vector<PairRow> copies;
  std::vector<uint64_t> prompts;
  for (int copy = 0; copy < 8; ++copy) {
    copies.insert(copies.end(), rows.begin(), rows.end());
    for (const uint64_t prompt : distinct(300)) prompts.push_back(prompt);
  }
  const auto copied = bootstrap_apgr(copies, prompts, {.count = 200});
  CHECK(copied.low == Approx(alone.low));
  CHECK(copied.high == Approx(alone.high));
}

TEST_CASE("a weighted ranking is the metric of the rows drawn") {
  const std::vector<PairRow> rows = random_rows(97, 5);
  const PairRanking ranking(rows);
  for_each_resample(distinct(rows.size()), {.count = 20},
                    [&](size_t, std::span<const float> weights) {
                      std::vector<PairRow> drawn;
                      for (size_t i = 0; i < rows.size(); ++i) {
                        drawn.insert(drawn.end(),
                                     static_cast<size_t>(weights[i]), rows[i]);
                      }
                      REQUIRE(drawn.size() == rows.size());
                      const auto weighted = ranking.metrics(weights);
                      const auto whole = fine_metrics(drawn);
                      CHECK(ranking.apgr(weights) == Approx(whole.apgr));
                      CHECK(weighted.apgr == Approx(whole.apgr));
                      CHECK(weighted.cpt50 == Approx(whole.cpt50));
                      CHECK(weighted.cpt80 == Approx(whole.cpt80));
                      CHECK(weighted.saved95 == Approx(whole.saved95));
                      CHECK(weighted.saved99 == Approx(whole.saved99));
                      CHECK(weighted.saved100 == Approx(whole.saved100));
                    });
}

TEST_CASE("means of columns see the same resamples") {
  constexpr size_t kRows = 700;
  Random random(3);
  std::vector<float> values;
  for (size_t i = 0; i < kRows * 3; ++i) {
    values.push_back(static_cast<float>(random.uniform()));
  }
  // Some prompts have two rows, most have one.
  std::vector<uint64_t> prompts = distinct(kRows);
  for (size_t i = 0; i < kRows / 10; ++i) prompts[i] = prompts[kRows - 1 - i];
  const auto means =
      resampled_means(values, 3, prompts, {.count = 7, .threads = 2});
  REQUIRE(means.size() == 21);
  for_each_resample(prompts, {.count = 7},
                    [&](size_t sample, std::span<const float> weights) {
                      const double all =
                          std::accumulate(weights.begin(), weights.end(), 0.0);
                      for (size_t c = 0; c < 3; ++c) {
                        double sum = 0;
                        for (size_t i = 0; i < kRows; ++i) {
                          sum += static_cast<double>(weights[i]) *
                                 static_cast<double>(values[i * 3 + c]);
                        }
                        CHECK(means[sample * 3 + c] == Approx(sum / all));
                      }
                    });
}

TEST_CASE("an interval is the middle of the values that are numbers") {
  std::vector<double> values = {std::numeric_limits<double>::quiet_NaN()};
  for (int i = 1000; i >= 0; --i) values.push_back(i);
  const auto interval = interval_95(values);
  CHECK(interval.low == 25);
  CHECK(interval.high == 975);
  CHECK(interval_95({}).high == 0);
}

TEST_CASE("weighted predictions are as good as those of the rows drawn") {
  // Two predictions a row, of one digit, so that many tie.
  Random random(8);
  std::vector<llmroute::learning::Prediction> all;
  std::vector<uint32_t> rows;
  for (uint32_t i = 0; i < 120; ++i) {
    all.push_back({static_cast<double>(random.below(9)) / 10 + 0.05,
                   random.uniform() < 0.6 ? 1.0 : 0.0});
    rows.push_back(i / 2);
  }
  const llmroute::learning::PredictionRanking ranking(all, rows);
  for_each_resample(
      distinct(60), {.count = 10}, [&](size_t, std::span<const float> weights) {
        std::vector<llmroute::learning::Prediction> drawn;
        for (size_t i = 0; i < all.size(); ++i) {
          drawn.insert(drawn.end(), static_cast<size_t>(weights[rows[i]]),
                       all[i]);
        }
        const auto figures = ranking.figures(weights);
        CHECK(figures.brier == Approx(llmroute::learning::brier(drawn)));
        CHECK(figures.ece ==
              Approx(llmroute::learning::calibration_error(drawn)));
        CHECK(figures.auc == Approx(llmroute::learning::auc(drawn)));
      });
}
