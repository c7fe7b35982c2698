#include "analyzer/own_head.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "analyzer/heads.h"
#include "core/analysis.h"
#include "model_maker.h"

using doctest::Approx;
using llmroute::analyzer::Evidence;
using llmroute::analyzer::head_scores;
using llmroute::analyzer::judge;
using llmroute::analyzer::kMostOwn;
using llmroute::analyzer::own_inputs;
using llmroute::core::learned_logit;

TEST_CASE("what was learned of single models fades with what is not known") {
  model_maker::Made made;
  model_maker::fill(made, 4, 5);
  Evidence evidence;
  evidence.sums.fill(40);
  evidence.grams = 16;
  evidence.dense.fill(0.5F);
  const auto inputs =
      own_inputs(head_scores(made.model, evidence), evidence.dense);
  double expected = static_cast<double>(made.own[1].bias);
  for (size_t i = 0; i < inputs.size(); ++i) {
    expected += static_cast<double>(made.own[1].weight[i] * inputs[i]);
  }
  REQUIRE(std::fabs(expected) < kMostOwn);
  for (const uint32_t known : {0U, 8U, 16U}) {
    evidence.known = known;
    const auto analysis = judge(made.model, evidence);
    const double familiar = std::pow(known / 16.0, 1.5);
    CHECK(learned_logit(analysis, "vendor/second", "x") ==
          Approx(familiar * expected));
    CHECK(learned_logit(analysis, "x", "vendor/second") ==
          Approx(familiar * expected));
    CHECK(learned_logit(analysis, "third", "third") == 0);
  }
}

TEST_CASE("a correction is bounded") {
  model_maker::Made made;
  model_maker::fill(made, 4, 5);
  made.own[0].bias = 1000;
  Evidence evidence;
  evidence.grams = evidence.known = 1;
  CHECK(learned_logit(judge(made.model, evidence), "first", "") == kMostOwn);
}
