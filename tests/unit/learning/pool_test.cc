#include "learning/pool.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "learning/hull.h"

using doctest::Approx;
using llmroute::learning::aiq;
using llmroute::learning::aiq_by_range;
using llmroute::learning::best_quality;
using llmroute::learning::cheapest_sufficient;
using llmroute::learning::Choices;
using llmroute::learning::choose;
using llmroute::learning::columns_of;
using llmroute::learning::cost_at;
using llmroute::learning::CostPoint;
using llmroute::learning::fit_cost;
using llmroute::learning::lambdas;
using llmroute::learning::mean_of;
using llmroute::learning::PoolTable;
using llmroute::learning::quality_at;
using llmroute::learning::sweep;
using llmroute::learning::upper_hull;

namespace {

// Three prompts, two models: a costs 1, b costs 3.
const PoolTable kTable = {3, 2, {1, 1, 0, 1, 0, 0}, {1, 3, 1, 3, 1, 3}};

}  // namespace

TEST_CASE("AIQ of RouterBench's fixture") {
  const auto hull = upper_hull({{1, .5}, {2, .8}});
  CHECK(aiq(hull, 4) == Approx(0.5625));
  CHECK(aiq_by_range(hull, 4) == Approx(0.75));
}

TEST_CASE("a hull leaves out what mixing does better") {
  const auto hull = upper_hull(
      {{3, .9}, {1, .5}, {2, .6}, {2, .4}, {4, .85}, {1, .3}, {2, .7}});
  REQUIRE(hull.size() == 2);
  CHECK(hull[0].quality == .5);
  CHECK(hull[1].quality == .9);
  CHECK(quality_at(hull, 2) == Approx(.7));
  CHECK(quality_at(hull, 0.1) == .5);
  CHECK(quality_at(hull, 9) == .9);
  CHECK(cost_at(hull, .7) == Approx(2));
  CHECK(cost_at(hull, .1) == Approx(1));
  CHECK(!cost_at(hull, .95));
}

TEST_CASE("the sweep goes from the best answers to the cheapest") {
  const std::vector<float> chance = {.9F, .95F, .2F, .8F, .1F, .2F};
  const auto ways = sweep(chance, kTable.cost, 2, lambdas(kTable));
  CHECK(ways.front() == Choices{1, 1, 1});
  CHECK(ways.back() == Choices{0, 0, 0});
  CHECK(choose(chance, kTable.cost, 2, 0.1) == Choices{0, 1, 0});
  const CostPoint mean = mean_of(kTable, choose(chance, kTable.cost, 2, 0.1));
  CHECK(mean.cost == Approx(5 / 3.0));
  CHECK(mean.quality == Approx(2 / 3.0));
}

TEST_CASE("a model without a chance is not chosen, equals go to the cheaper") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> chance = {nan, .1F, .5F, .5F};
  const std::vector<float> cost = {1, 3, 3, 1};
  CHECK(choose(chance, cost, 2, 0) == Choices{1, 1});
}

TEST_CASE("oracles take the cheapest of what is good") {
  CHECK(cheapest_sufficient(kTable) == Choices{0, 1, 0});
  CHECK(best_quality(kTable) == Choices{0, 1, 0});
  // Half right is sufficient, but not best.
  const PoolTable graded = {1, 2, {.5, 1}, {1, 3}};
  CHECK(cheapest_sufficient(graded) == Choices{0});
  CHECK(best_quality(graded) == Choices{1});
}

TEST_CASE("columns hold cost and quality of each way") {
  const std::vector<Choices> ways = {{0, 1, 0}, {1, 1, 1}};
  CHECK(columns_of(kTable, ways) ==
        std::vector<float>{1, 1, 3, 1, 3, 1, 3, 1, 1, 0, 3, 0});
  CHECK(kTable.mean_of(1).cost == 3);
  CHECK(kTable.mean_of(1).quality == Approx(2 / 3.0));
}

TEST_CASE("a cost line goes through its samples and not below zero") {
  using Samples = std::vector<llmroute::learning::CostSample>;
  const auto line = fit_cost(Samples{{10, 1}, {20, 2}, {30, 3}});
  CHECK(line.at(40) == Approx(4));
  CHECK(fit_cost(Samples{{10, 5}, {20, 1}}).at(100) == 0);
  CHECK(fit_cost(Samples{{10, 5}, {10, 1}}).at(10) == Approx(3));
  CHECK(fit_cost({}).at(10) == 0);
}
