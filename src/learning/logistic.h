// The logistic function and its loss.
#pragma once

#include <algorithm>
#include <cmath>

#include "core/analysis.h"

namespace llmroute::learning {

using core::sigmoid;

// Minus the logarithm of the probability that sigmoid(x) gives a score of 0..1,
// without overflow.
inline double logistic_loss(double x, double score) {
  return std::log1p(std::exp(-std::fabs(x))) + std::max(x, 0.0) - score * x;
}

}  // namespace llmroute::learning
