// Scores of the heads -> Analysis. The trainer uses the same functions, so what
// is measured is what runs.
#pragma once

#include <array>
#include <cstdint>

#include "analyzer/model.h"
#include "core/analysis.h"

namespace llmroute::analyzer {

using HeadScores = std::array<double, kHeadCount>;

// What one pass over a prompt found.
struct Evidence {
  std::array<int32_t, kHeadCount> sums{};  // of the rows of its n-grams
  std::array<int32_t, kHeadCount> edge_sums{};
  uint32_t grams = 0, edges = 0;  // ids, words and pairs with repetitions
  uint32_t known = 0;             // of the ids: seen in training
  uint32_t distinct_words = 0;    // of the ids: of words, not of pairs
  DenseFeatures dense{};

  bool operator==(const Evidence&) const = default;
};

// What a sum over `count` n-grams is multiplied by: 1 / sqrt(count).
double gram_norm(uint32_t count);

double coverage_of(const Evidence& evidence);

struct Scores {
  HeadScores grams{};  // n-gram part
  HeadScores dense{};  // dense part with the bias
};
Scores head_scores(const Model& model, const Evidence& evidence);

// What own heads weigh.
using OwnInputs = std::array<float, kOwnInputs>;
OwnInputs own_inputs(const Scores& scores, const DenseFeatures& dense);

core::PerDomain domain_probabilities(const Scores& scores);

double difficulty_of(const Model& model, const Scores& scores,
                     const core::PerDomain& domain, double coverage);

// Fills everything but language and sizes.
core::Analysis judge(const Model& model, const Evidence& evidence);

}  // namespace llmroute::analyzer
