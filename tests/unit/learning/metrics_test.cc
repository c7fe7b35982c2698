#include "learning/metrics.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "learning/baselines.h"
#include "learning/pairing.h"
#include "learning/random.h"

using doctest::Approx;
using llmroute::learning::auc;
using llmroute::learning::brier;
using llmroute::learning::calibration_error;
using llmroute::learning::choose_pair;
using llmroute::learning::class_metrics;
using llmroute::learning::CurvePoint;
using llmroute::learning::fine_curve;
using llmroute::learning::fine_metrics;
using llmroute::learning::fit_constant;
using llmroute::learning::fit_length_only;
using llmroute::learning::fit_slope;
using llmroute::learning::LengthRow;
using llmroute::learning::log_loss;
using llmroute::learning::PairRow;
using llmroute::learning::Prediction;
using llmroute::learning::Random;
using llmroute::learning::routellm_curve;
using llmroute::learning::routellm_metrics;
using llmroute::learning::Scores;
using llmroute::learning::SlopePoint;

namespace {

// Eight prompts with ties; the curve can be drawn by hand.
const std::vector<PairRow> kTiny = {{.9, 1, 0}, {.8, 1, 1}, {.8, 0, 0},
                                    {.7, 1, 0}, {.5, 1, 1}, {.5, 0, 1},
                                    {.5, 1, 1}, {.1, 1, 0}};

std::vector<PairRow> random_rows(size_t n, uint64_t seed) {
  Random random(seed);
  std::vector<PairRow> rows;
  for (size_t i = 0; i < n; ++i) {
    rows.push_back({random.uniform(), random.uniform() < 0.8 ? 1.0 : 0.0,
                    random.uniform() < 0.5 ? 1.0 : 0.0});
  }
  return rows;
}

}  // namespace

TEST_CASE("the fine curve of eight prompts is the one drawn by hand") {
  const std::vector<CurvePoint> curve = fine_curve(kTiny);
  const double expected[][2] = {{0, .5},   {.125, .625}, {.375, .625},
                                {.5, .75}, {.875, .625}, {1, .75}};
  REQUIRE(curve.size() == std::size(expected));
  for (size_t i = 0; i < curve.size(); ++i) {
    CHECK(curve[i].strong_share == Approx(expected[i][0]));
    CHECK(curve[i].quality == Approx(expected[i][1]));
  }
}

TEST_CASE("fine metrics of eight prompts follow from the curve") {
  const auto m = fine_metrics(kTiny);
  // Area .65625, less weak .5, over the gap .25.
  CHECK(m.apgr == Approx(0.625));
  CHECK(m.cpt50 == Approx(12.5));  // quality .625 is first reached there
  CHECK(m.cpt80 == Approx(45));    // .7 on the way from .625 to .75
  CHECK(m.saved95 == Approx(53.75));
  CHECK(m.saved99 == Approx(50.75));
  CHECK(m.saved100 == Approx(50));
}

TEST_CASE("thresholds are the eleven quantiles of the scores") {
  // Scores 1 to 11: each threshold adds one prompt, but the last, which must be
  // exceeded, sends none.
  std::vector<PairRow> rows;
  for (int i = 1; i <= 11; ++i) rows.push_back({1.0 * i, 1, i > 5 ? 0.0 : 1.0});
  const std::vector<CurvePoint> curve = routellm_curve(rows);
  REQUIRE(curve.size() == 11);
  CHECK(curve[0].strong_share == 0);
  CHECK(curve[0].quality == Approx(5 / 11.0));
  for (size_t i = 1; i < 11; ++i) {
    CHECK(curve[i].strong_share == Approx(static_cast<double>(i + 1) / 11));
    CHECK(curve[i].quality ==
          Approx(std::min(11.0, static_cast<double>(5 + i + 1)) / 11));
  }
  const auto m = routellm_metrics(rows);
  CHECK(m.cpt50 == Approx(100 * 3 / 11.0));
}

TEST_CASE("a constant score is a straight line, the truth is best") {
  const std::vector<PairRow> rows = random_rows(500, 3);
  std::vector<PairRow> constant = rows, oracle = rows;
  for (PairRow& row : constant) row.score = 0;
  for (PairRow& row : oracle) row.score = row.strong - row.weak;
  const auto flat = fine_metrics(constant);
  CHECK(flat.apgr == Approx(0.5));
  CHECK(flat.cpt50 == Approx(50));
  CHECK(flat.cpt80 == Approx(80));
  CHECK(fine_metrics(oracle).apgr > 1);
  CHECK(fine_metrics(rows).apgr < fine_metrics(oracle).apgr);
}

TEST_CASE("what mixing at random saves, and the peak, need no router") {
  const auto m = fine_metrics(kTiny);
  // Strong .75, weak .5: .7125 is .85 of the way.
  CHECK(m.random95 == Approx(15));
  CHECK(m.random99 == Approx(3));
  CHECK(m.random100 == Approx(0));
  CHECK(m.peak == Approx(100));
  // A weak model that is good enough saves every call.
  const auto close = fine_metrics(
      std::vector<PairRow>{{1, 1, 1}, {1, 1, 1}, {1, 1, .9}, {1, 1, 1}});
  CHECK(close.random95 == Approx(100));
  CHECK(close.saved95 == Approx(100));
}

TEST_CASE("the paper's sum counts all eleven thresholds and divides by ten") {
  // Every prompt with its own score and the same gain: recovered shares
  // 0/11, 2/11, 3/11 ... 11/11.
  std::vector<PairRow> rows;
  for (int i = 1; i <= 11; ++i) rows.push_back({1.0 * i, 1, 0});
  CHECK(routellm_metrics(rows).apgr_paper_sum == Approx(65 / 11.0 / 10));
}

TEST_CASE("the area under the ROC curve counts ties half") {
  CHECK(auc(std::vector<Prediction>{{.9, 1}, {.8, 0}, {.7, 1}, {.1, 0}}) ==
        Approx(0.75));
  CHECK(auc(std::vector<Prediction>{{.5, 1}, {.5, 0}}) == Approx(0.5));
  CHECK(auc(std::vector<Prediction>{{.9, 1}, {.1, 0}, {.1, 0.4}}) == 1);
  CHECK(auc(std::vector<Prediction>{{.9, 1}}) == 0.5);
}

TEST_CASE("the confusion has a row per truth and a column per guess") {
  const auto table = llmroute::learning::confusion(
      std::vector<llmroute::learning::Labelled>{{0, 0}, {1, 0}, {1, 1}}, 2);
  CHECK(table == std::vector<std::vector<size_t>>{{1, 0}, {1, 1}});
}

TEST_CASE("probabilities are measured by three numbers") {
  const std::vector<Prediction> p = {{.8, 1}, {.8, 1}, {.8, 0}, {.2, 0}};
  CHECK(brier(p) == Approx((.04 + .04 + .64 + .04) / 4));
  CHECK(log_loss(p) == Approx(-(3 * std::log(.8) + std::log(.2)) / 4));
  // Bin of .8: mean outcome 2/3 of three; bin of .2: 0 of one.
  CHECK(calibration_error(p) == Approx((3 * std::fabs(.8 - 2 / 3.0) + .2) / 4));
  CHECK(calibration_error(std::vector<Prediction>{{1.0, 1}, {0.0, 0}}) == 0);
}

TEST_CASE("classes are measured by accuracy and mean F1") {
  // Class 0: precision 1/2, recall 1; class 1: precision 1, recall 1/2.
  const auto m = class_metrics(
      std::vector<llmroute::learning::Labelled>{{0, 0}, {1, 0}, {1, 1}}, 3);
  CHECK(m.accuracy == Approx(2 / 3.0));
  CHECK(m.macro_f1 == Approx((2 / 3.0 + 2 / 3.0) / 2));
}

TEST_CASE("length-only finds the slope that made the data") {
  std::vector<LengthRow> rows;
  Random random(4);
  for (int i = 0; i < 20'000; ++i) {
    const double bytes = std::exp(3 + 5 * random.uniform());
    const double p =
        1 / (1 + std::exp(-(0.4 - 0.9 * (std::log1p(bytes) - 5.5))));
    rows.push_back({bytes, random.uniform() < p ? 1.0 : 0.0});
  }
  const auto fit = fit_length_only(rows);
  CHECK(fit.slope == Approx(-0.9).epsilon(0.06));
  CHECK(fit.intercept == Approx(0.4).epsilon(0.15));
  CHECK(fit.probability(10) > fit.probability(10'000));
  CHECK(std::isfinite(
      fit_length_only(std::vector<LengthRow>{{10, 1}}).probability(10)));
  CHECK(fit_constant(std::vector<LengthRow>{{1, 1}, {1, 1}, {1, 0}}) ==
        Approx(2.5 / 4));
}

TEST_CASE("the calibrated slope is the one that made the scores") {
  std::vector<SlopePoint> points;
  for (double margin = -3; margin <= 3; margin += 0.1) {
    points.push_back({margin, 1 / (1 + std::exp(-1.7 * margin))});
  }
  CHECK(fit_slope(points) == Approx(1.7).epsilon(1e-6));
  CHECK(fit_slope({}) == 1);
}

TEST_CASE("a pair is the best model and the one at the lower quartile") {
  const Scores rows[] = {
      {{"a", 0}, {"b", 0}, {"c", 1}, {"d", 1}, {"e", 1}},
      {{"a", 0}, {"b", 1}, {"c", 0}, {"d", 1}, {"e", 1}},
      {{"a", 0}, {"b", 0}, {"c", 0}, {"d", 1}, {"e", 0}},
      {{"rare", 1}, {"a", 0}, {"b", 0}, {"c", 1}, {"d", 1}, {"e", 1}}};
  std::vector<const Scores*> all;
  for (const Scores& row : rows) all.push_back(&row);
  const auto pair = choose_pair(all);
  REQUIRE(pair);
  CHECK(pair->strong == "d");
  CHECK(pair->weak == "b");
  CHECK(pair->strong_mean == 1);
  CHECK(pair->weak_mean == 0.25);
  const Scores same = {{"a", 0.5}, {"b", 0.5}};
  CHECK(!choose_pair(std::vector<const Scores*>{&same}));
  const Scores one = {{"a", 1}};
  CHECK(!choose_pair(std::vector<const Scores*>{&one}));
}
