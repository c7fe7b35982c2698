// The logistic function and its loss.
#pragma once

#include <algorithm>
#include <cmath>

namespace llmroute::learning {

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// Minus the logarithm of the probability that sigmoid(x) gives a score of 0..1,
// without overflow.
inline double logistic_loss(double x, double score) {
  return std::log1p(std::exp(-std::fabs(x))) + std::max(x, 0.0) - score * x;
}

}  // namespace llmroute::learning
