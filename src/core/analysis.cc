#include "core/analysis.h"

#include <cmath>

namespace llmroute::core {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double hardness(const Analysis& analysis) {
  return sigmoid(analysis.slope * analysis.difficulty);
}

}  // namespace llmroute::core
