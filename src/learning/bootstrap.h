// Intervals by resampling prompts, seeded, so that they can be repeated.
#pragma once

#include <span>

#include "learning/metrics.h"

namespace llmroute::learning {

struct Interval {
  double low = 0, high = 0;
};

// 95 % interval of the fine APGR over 1,000 resamples of the rows. Resamples in
// which the two models do not differ are left out.
Interval bootstrap_apgr(std::span<const PairRow> rows, int resamples = 1000);

}  // namespace llmroute::learning
