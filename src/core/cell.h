// A cell: prompts of one domain and about one difficulty, among which a model's
// answers are compared.
#pragma once

#include <array>
#include <cstddef>

#include "core/analysis.h"
#include "core/domain.h"

namespace llmroute::core {

inline constexpr int kLevels = 5;

struct Cell {
  size_t domain = 0;  // index into kDomainNames
  int level = 0;      // 0 (easy) .. kLevels - 1

  bool operator==(const Cell&) const = default;
};

// One number per cell.
using PerCell = std::array<std::array<double, kLevels>, kDomainCount>;

// Levels are one logit wide; the middle one is around 0, the outer ones are
// open.
int level_of(double difficulty);
Cell cell_of(const Analysis& analysis);

}  // namespace llmroute::core
