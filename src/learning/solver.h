// Fits all heads together by stochastic gradients with AdaGrad steps: domains
// by cross-entropy, the difficulty by item response theory on outcomes,
//   P(model m answers prompt i well) =
//       sigmoid(slope * (ability[m] - difficulty(i) - intercept[source of i])),
// and by bounds for rows that only name a level, the answer's length by squared
// error. Dense weights are fitted first, alone, so that n-grams explain what is
// left. One thread and a seeded order: the same input gives the same bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "learning/problem.h"

namespace llmroute::learning {

struct Solution;

struct SolverOptions {
  uint64_t seed = 1;
  uint32_t dense_epochs = 6;  // without n-grams
  uint32_t epochs = 8;        // with them
  float slope = 1.1F;
  float shrink = 1;          // n-gram part of the difficulty * coverage^shrink
  float domain_rate = 0.5F;  // steps of n-gram weights
  float difficulty_rate = 0.05F;
  float length_rate = 0.15F;
  float dense_rate = 0.05F;
  float difficulty_decay = 0.03F;  // per epoch, of n-gram weights
  float domain_decay = 0.0F;
  float dense_decay = 0.1F;     // per epoch, of dense weights of the difficulty
  float domain_balance = 0.5F;  // 0: as frequent as they are, 1: all alike
  float intercept_pull = 1;     // of sources' intercepts to 0
  float number_weight = 8;      // of given difficulties, against levels
  float level_weight = 0.5F;    // of bounds against outcomes
  // Where to start instead of at zero, or null; its rows must fit the problem.
  // Dense weights are then not fitted alone first, and nothing decays.
  const Solution* initial = nullptr;
  // Told the epoch that ended and the mean loss of its rows; may be empty.
  std::function<void(uint32_t epoch, uint32_t of, double loss)> progress;
};

struct Solution {
  std::vector<HeadWeights> rows;   // 2^bucket_bits
  std::vector<HeadWeights> dense;  // for raw dense features
  HeadWeights bias{};
  std::array<float, core::kDomainCount> base{};
  float slope = 1;
  std::vector<core::PerDomain> ability;  // per model
  std::vector<float> intercept;          // per source
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
