// Text -> features: what the heads weigh (fast, no allocation) and, for
// training and explaining, every n-gram by itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/dense.h"
#include "analyzer/heads.h"
#include "analyzer/kernel.h"
#include "analyzer/model.h"
#include "analyzer/window.h"

namespace llmroute::analyzer {

// The fast path (gather.cc): sums in integers, the same on every machine.
// Thread-safe. `kernel`: this one instead of the best.
Evidence gather(const Model& model, const Window& window, Surface& surface);
Evidence gather(const Kernel& kernel, const Model& model, const Window& window,
                Surface& surface);

// For training: ids of n-grams in order of first occurrence, of edges with
// repetitions, and for Model::seen the hash that first had each id.
struct TrainingFeatures {
  std::vector<uint16_t> grams;
  std::vector<uint16_t> edges;
  std::vector<uint64_t> words;
  DenseFeatures dense{};
};
void extract(std::string_view instruction, std::string_view context,
             TrainingFeatures& features);

// One n-gram of a prompt, for explain.
struct NamedGram {
  std::string text;
  uint64_t hash = 0;
  int64_t count = 0;  // edges may count more than once
  bool edge = false;  // a word or pair as one of the first or last
};
// Distinct n-grams in order of first occurrence. "a b" is a pair.
std::vector<NamedGram> named_grams(const Window& window);

}  // namespace llmroute::analyzer
