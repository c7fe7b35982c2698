// P(model answers well) with a head for each model, for prompts like those it
// was fitted to. The heads are of low rank plus a rest: a model's weights are
// those of a few shared directions, each times the model's loading, plus its
// own, all pulled to zero (regularised multi-task learning: Evgeniou and Pontil
// 2004), so that few outcomes give one shared difficulty and many give each
// model its own. The loadings are not fitted, which keeps the problem convex:
// they are the powers of the model's ability (the logit of its mean score,
// standardised over the models). The direction of power 0 is the difficulty,
// that of power 1 says how much more able models gain on a prompt, as the
// discrimination of item response theory does. Hence a model none of whose
// outcomes are known has a head too, once its ability is.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "learning/problem.h"

namespace llmroute::learning {

struct OutcomeHeadsOptions {
  int threads = 1;
  uint32_t iterations = 200;
  // On the squares of a model's own weights, from 10,000 rows on; fewer rows
  // are pulled harder, up to eight times.
  double gram_penalty = 2;
  double dense_penalty = 40;  // for standardised features
  double sharing = 0.5;       // own penalties by those of the shared weights
  uint32_t directions = 2;    // shared ones, at least 1
  // Fits to the outcomes of all other models and none of the models asked for,
  // of which only the mean scores are known; without own weights.
  bool unseen = false;
};

// A prompt's features, as in a Sample and its Problem.
struct PromptFeatures {
  std::span<const Entry> grams;  // without edges
  float norm = 0;
  std::span<const float> dense;  // raw
};

PromptFeatures features_of(const Problem& problem, uint32_t sample);

class OutcomeHeads {
 public:
  // Fits heads for `models` (as in Outcome::model) on the outcomes of
  // `samples`. REQUIRES: both not empty; if unseen, outcomes of other models.
  static OutcomeHeads fit(const Problem& problem,
                          std::span<const uint32_t> samples,
                          std::span<const uint32_t> models,
                          const OutcomeHeadsOptions& options);

  // In the order of `models`.
  std::vector<double> chances(const PromptFeatures& features) const;

 private:
  std::vector<double> logits(const PromptFeatures& features) const;
  void match_means(const Problem& problem, std::span<const uint32_t> samples,
                   const std::vector<double>& ability,
                   std::span<const uint32_t> models);

  size_t models_ = 0, row_count_ = 0;
  std::vector<float> rows_;   // [row][model]
  std::vector<float> dense_;  // [feature][model], for raw features
  std::vector<double> bias_;  // [model]
};

}  // namespace llmroute::learning
