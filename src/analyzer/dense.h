// Dense features: length, shape, scripts, marks. They carry over to kinds of
// prompts never seen in training, where n-grams do not.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "analyzer/scan.h"

namespace llmroute::analyzer {

inline constexpr size_t kDenseCount = 80;

using DenseFeatures = std::array<float, kDenseCount>;

// `bytes` and `context_bytes` of the whole text, of which `surface` saw
// `scanned`.
struct TextSizes {
  size_t bytes = 0;
  size_t context_bytes = 0;
  size_t scanned = 0;
};

// Every entry is finite and about -1 to 12. The order is part of the model
// file's format: append, never reorder.
DenseFeatures dense_features(const Surface& surface, const TextSizes& sizes);

// Whether the domain may depend on it. Scripts and the language of a prompt say
// nothing of its kind, though in training data they do.
bool tells_domain(size_t index);

// "length", "digits" ...; "" for unused places.
std::string_view dense_name(size_t index);

}  // namespace llmroute::analyzer
