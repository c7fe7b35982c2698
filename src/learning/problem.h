// What the solver is given: featurised prompts with what is known of each. It
// knows rows of weights and heads, not text.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/domain.h"

namespace llmroute::learning {

inline constexpr size_t kHeads = 16;
using HeadWeights = std::array<float, kHeads>;

// What each head is for.
struct HeadLayout {
  size_t difficulty = 9;
  size_t family = 10;  // first of the difficulty heads of families of domains
  size_t family_count = 4;
  std::array<size_t, core::kDomainCount> family_of{};
  size_t length = 14;  // natural logarithm of the answer's tokens
};

// A row of n-gram weights and how often (negative: with the sign set) the
// prompt has it.
struct Entry {
  uint32_t row : 24;
  int32_t count : 8;
};
static_assert(sizeof(Entry) == 4);

struct Outcome {
  uint32_t model = 0;
  float score = 0;  // 0..1
};

inline constexpr float kNoDifficulty = -1000;

struct Sample {
  // [entry_begin, edge_begin) n-grams, [edge_begin, entry_end) edges.
  uint32_t entry_begin = 0, edge_begin = 0, entry_end = 0;
  uint32_t outcome_begin = 0, outcome_end = 0;
  uint32_t dense = 0;             // index into Problem::dense
  uint32_t source = 0;            // rows of a source share an intercept
  float norm = 0, edge_norm = 0;  // of sums over n-grams and edges
  double bytes = 0;               // of the prompt
  float coverage = 0;             // share of n-grams other rows have too
  int8_t domain = -1;             // -1: not known
  int8_t level = -1;              // 0 simple, 1 medium, 2 hard; -1: not known
  bool small_talk = false;        // simple, and easier than any question
  float difficulty = kNoDifficulty;  // given; else by level or outcomes
  float difficulty_weight = 1;       // of one that is given
  float log_tokens = 0;              // of the answer; 0: not known
  float weight = 1;                  // balances sources
};

struct Problem {
  HeadLayout layout;
  uint32_t bucket_bits = 14;
  size_t dense_count = 0;
  std::vector<bool> tells_domain;  // per dense feature: domain heads see it
  std::vector<Entry> entries;
  std::vector<Outcome> outcomes;
  std::vector<float> dense;  // dense_count per sample
  std::vector<Sample> samples;
  // Abilities that are known hold the scale; the others are fitted.
  std::vector<std::optional<core::PerDomain>> known_ability;  // per model
  size_t source_count = 0;
};

}  // namespace llmroute::learning
