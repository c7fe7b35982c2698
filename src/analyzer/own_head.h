// What a router model learned of single models from their own outcomes: a
// correction of P(good), linear in what the analyzer finds anyway.
//
//   correction = bias + sum over inputs of weight * input, within +-kMostOwn
//
// Inputs are the n-gram parts of the heads' scores, then the dense features.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "analyzer/dense.h"

namespace llmroute::analyzer {

inline constexpr size_t kOwnInputs = 16 + kDenseCount;
inline constexpr size_t kMostOwnHeads = 64;
inline constexpr double kMostOwn = 3;  // logits

struct OwnHead {
  std::array<char, 64> model{};  // its name, padded with zeros
  float bias = 0;
  std::array<float, kOwnInputs> weight{};
};
static_assert(sizeof(OwnHead) == 64 + 4 + 4 * kOwnInputs);

}  // namespace llmroute::analyzer
