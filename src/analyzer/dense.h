// Dense features: length, shape, scripts, marks. They carry over to kinds of
// prompts never seen in training, where n-grams do not.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "analyzer/scan.h"
#include "analyzer/window.h"

namespace llmroute::analyzer {

inline constexpr size_t kDenseCount = 80;

using DenseFeatures = std::array<float, kDenseCount>;

// Of `window`, whose pieces `surface` has counted; `distinct_words`: of those
// that it counted, how many brought an id that was not met before. Lengths are
// those of the words and of one byte between them: more blanks, fewer marks or
// another layout do not move them. Every entry is finite and about -1 to 12.
// Order and meaning are part of the model file's format, whose version rises
// with them.
DenseFeatures dense_features(const Surface& surface, const Window& window,
                             uint32_t distinct_words);

// Whether the domain may depend on it. Scripts and the language of a prompt say
// nothing of its kind, though in training data they do.
bool tells_domain(size_t index);

// "length", "digits" ...; "" for unused places.
std::string_view dense_name(size_t index);

}  // namespace llmroute::analyzer
