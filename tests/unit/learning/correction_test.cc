#include "learning/correction.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "learning/logistic.h"
#include "learning/random.h"

using doctest::Approx;
using llmroute::learning::Correction;
using llmroute::learning::CorrectionRow;
using llmroute::learning::fit_correction;
using llmroute::learning::Random;
using llmroute::learning::sigmoid;

namespace {

// Outcomes that an offset of 1 gets wrong by -1 + 2 x, where share is 1.
std::vector<CorrectionRow> rows(int count, double share) {
  std::vector<CorrectionRow> all;
  Random random(3);
  for (int i = 0; i < count; ++i) {
    const double x = random.uniform();
    const bool good = random.uniform() < sigmoid(1 + share * (2 * x - 1));
    all.push_back({{static_cast<float>(x), 5}, 1, share, good ? 1.0 : 0.0});
  }
  return all;
}

}  // namespace

TEST_CASE("what an offset gets wrong is found") {
  const Correction found = fit_correction(rows(20'000, 1), 1);
  CHECK(found.weights[0] == Approx(2).epsilon(0.15));
  CHECK(found.bias == Approx(-1).epsilon(0.15));
  CHECK(found.weights[1] == 0);  // constant
}

TEST_CASE("where the correction does not apply nothing is learned") {
  const Correction found = fit_correction(rows(1000, 0), 1);
  CHECK(found.weights[0] == 0);
  CHECK(found.bias == 0);
}

TEST_CASE("few rows and a large penalty leave the offset as it is") {
  const Correction found = fit_correction(rows(20, 1), 1e6);
  CHECK(std::fabs(found.weights[0]) < 0.01);
}
