#include "core/analysis.h"

#include <cmath>

namespace llmroute::core {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double learned_logit(const Analysis& analysis, std::string_view name,
                     std::string_view id) {
  for (const Analysis::Learned& learned : analysis.learned) {
    if (learned.model == name || learned.model == id) return learned.logit;
  }
  return 0;
}

double hardness(const Analysis& analysis) {
  return sigmoid(analysis.slope * analysis.difficulty);
}

}  // namespace llmroute::core
