#include "core/cell.h"

#include <algorithm>
#include <cmath>

namespace llmroute::core {

int level_of(double difficulty) {
  constexpr double kMiddle = (kLevels - 1) / 2.0;
  if (std::isnan(difficulty)) return static_cast<int>(kMiddle);
  return static_cast<int>(
      std::clamp(std::floor(difficulty + 0.5) + kMiddle, 0.0, kLevels - 1.0));
}

Cell cell_of(const Analysis& analysis) {
  return {largest(analysis.domain), level_of(analysis.difficulty)};
}

}  // namespace llmroute::core
