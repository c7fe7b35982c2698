// The analyzer's features as the solver takes them.
#pragma once

#include <cstdint>

#include "analyzer/features.h"
#include "learning/problem.h"

namespace llmroute::app {

inline constexpr uint32_t kBucketBits = 14;

// Appends entries and dense features to `problem` (not the sample itself, which
// is to become its next one) and returns a sample that names them. Sorts the
// ids in `features`.
learning::Sample append_features(analyzer::TrainingFeatures& features,
                                 learning::Problem& problem);

}  // namespace llmroute::app
