// Text -> features: what the heads weigh (fast, no allocation) and, for
// training and explaining, every n-gram by itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/dense.h"
#include "analyzer/heads.h"
#include "analyzer/model.h"
#include "analyzer/window.h"

namespace llmroute::analyzer {

// The fast path: one pass, row sums in integers. Thread-safe.
Evidence gather(const Model& model, const Window& window,
                const TextSizes& sizes, Surface& surface);

// For training: entries (gram_entry) with repetitions, and the hashes of words
// and pairs for Model::seen.
struct TrainingFeatures {
  std::vector<uint32_t> entries;
  std::vector<uint32_t> edges;
  std::vector<uint64_t> words;  // hashes of words and pairs, with repetitions
  DenseFeatures dense{};
};
void extract(std::string_view instruction, std::string_view context,
             uint32_t bucket_bits, TrainingFeatures& features);

// One n-gram of a prompt, for explain.
struct NamedGram {
  std::string text;
  uint64_t hash = 0;
  int64_t count = 0;
  bool edge = false;  // a word or pair as one of the first or last
};
// Distinct n-grams in order of first occurrence. "a b" is a pair; substrings of
// words are written with "_" for the border of the word.
std::vector<NamedGram> named_grams(const Window& window);

}  // namespace llmroute::analyzer
