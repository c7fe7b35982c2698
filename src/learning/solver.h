// Fits all heads, each a convex problem solved until it converges (minimise.h):
//
// - domains by multinomial logistic regression;
// - the difficulty, given the domains, by item response theory on outcomes,
//     P(model m answers prompt i well) =
//         sigmoid(slope * (ability[m] - difficulty(i) - intercept[source of
//         i]))
//   (Rasch 1960, with a linear difficulty: Fischer's linear logistic test
//   model), and by bounds for rows that only name a level. Abilities that are
//   not known and the intercepts are fitted along;
// - the logarithm of the answer's length by robust linear regression.
//
// All weights are pulled to zero, or to those of an initial model. The same
// input and number of threads give the same bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "learning/linear_heads.h"
#include "learning/problem.h"

namespace llmroute::learning {

struct Solution;

struct SolverOptions {
  int threads = 1;
  uint32_t iterations = 600;  // at most, of each problem
  // Until steps gain less than this share of the loss (minimise.h). For sources
  // that were not trained on it pays to fit the difficulty to the end, since
  // what tells prompts of one kind apart is fitted last, but to stop early with
  // the domains, where that is what single sources have in common.
  // Fewer samples than 30,000 are fitted less closely, as befits them.
  double domain_gain = 1e-3, difficulty_gain = 3e-6, length_gain = 1e-4;
  float slope = 1.1F;
  float shrink = 0.25F;  // n-gram part of the difficulty * coverage^shrink
  Penalties domain{0.2, 1};
  Penalties difficulty{2, 10};
  Penalties length{2, 2};
  double intercept_penalty = 100;  // on the squares of sources' intercepts
  double departure_penalty = 2;    // of a model's ability in a domain
  double domain_balance = 0.5;     // 0: as frequent as they are, 1: all alike
  double level_weight = 1;         // of given difficulties and bounds
  // What weights are pulled to instead of zero, or null; its rows must fit the
  // problem. Fewer than 10,000 rows are pulled harder, up to 30 times.
  const Solution* initial = nullptr;
  // Told what is being fitted, the iteration that ended and the objective's
  // value; may be empty.
  std::function<void(std::string_view what, uint32_t iteration, double value)>
      progress;
};

struct Solution {
  std::vector<HeadWeights> rows;   // 2^bucket_bits
  std::vector<HeadWeights> dense;  // for raw dense features
  HeadWeights bias{};
  std::array<float, core::kDomainCount> base{};
  float slope = 1;
  std::vector<core::PerDomain> ability;  // per model
  std::vector<float> intercept;          // per source
  bool converged = true;
};

// REQUIRES: at least one sample.
Solution solve(const Problem& problem, const SolverOptions& options);

// Bounds of the difficulty that a level stands for. A small model has ability
// -1.5: "simple" is what it answers well 19 times in 20, "hard" what a model
// of ability 0 fails every other time, "medium" what lies between; small talk
// is what every model can do.
struct LevelBounds {
  float low, high;
};
LevelBounds level_bounds(int level, bool small_talk);

}  // namespace llmroute::learning
