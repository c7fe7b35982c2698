// The worth of a good answer to put in the config, so that quality stays at a
// share of the best constant's.
#pragma once

#include "learning/study_pool.h"
#include "learning/study_report.h"

namespace llmroute::learning {

// The cheapest way along the sweep of lambda = 1 / worth whose quality, less
// 1.645 standard errors of the paired difference, stays above the target. How
// often that floor breaks is tried on held-out folds, seeded.
TargetReport tune_target(const StudyTable& study, const PoolData& pool,
                         double share, uint64_t seed);

// Where there is no pool to tune on.
TargetReport refuse_target(double share, std::string why);

}  // namespace llmroute::learning
