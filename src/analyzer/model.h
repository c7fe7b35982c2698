// The weights of the analyzer, as read from a model file.
//
// The top 16 bits of an n-gram's hash are its id: it names a row of int8
// weights, one per head, and a sign. Each id of a prompt counts once, however
// often it occurs. Row sums are scaled per head by `gram_scale`, divided by the
// square root of the number of ids, and added to the dense part. Edges (the
// first and last words) are summed apart in the same way, for the domains and
// the length only. The difficulty is
//   sum over domains d of p(d) * base[d]
//   + dense part of kDifficulty + familiar * n-gram part of kDifficulty
//   + sum over families f of p(f) * (the same of f's head),
// familiar = coverage ^ shrink: n-grams say little of a kind of prompt that was
// not seen in training, so they then count for little.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/dense.h"
#include "analyzer/own_head.h"
#include "core/domain.h"

namespace llmroute::analyzer {

inline constexpr size_t kHeadCount = 16;

// Heads 0 to 8 are the domains, in the order of core::kDomainNames.
inline constexpr size_t kDifficultyHead = 9;
inline constexpr size_t kFamilyHead = 10;  // 10 to 13
inline constexpr size_t kLengthHead = 14;  // natural logarithm of answer tokens

inline constexpr std::array<std::string_view, kHeadCount> kHeadNames = {
    "code",      "agentic",   "math",   "reasoning",  "knowledge", "writing",
    "chat",      "text",      "tools",  "difficulty", "hard-math", "hard-code",
    "hard-know", "hard-open", "length", "unused"};

// Whether the first and last words count in a head: they say what is wanted,
// but not how hard it is.
constexpr bool sees_edges(size_t head) {
  return head < kDifficultyHead || head == kLengthHead;
}

// Domains that share a difficulty head.
inline constexpr size_t kFamilyCount = 4;
inline constexpr std::array<size_t, core::kDomainCount> kFamilyOf = {
    1, 1, 0, 0, 2, 3, 3, 3, 1};

struct GramRow {
  std::array<int8_t, kHeadCount> weight;
};
static_assert(sizeof(GramRow) == kHeadCount);

struct Model {
  uint32_t bucket_bits = 14;
  std::span<const GramRow> rows;  // 2^bucket_bits
  uint32_t seen_bits = 20;
  std::span<const uint8_t> seen;  // 2^seen_bits bits: words and pairs
  std::array<float, kHeadCount> gram_scale{};
  std::array<float, kHeadCount> bias{};
  std::array<std::array<float, kHeadCount>, kDenseCount> dense{};
  std::array<float, core::kDomainCount> base{};  // difficulty of a domain
  float slope = 1;
  float shrink = 1;
  std::span<const OwnHead> own;
  // Fingerprints of the prompts it was trained on, ascending: what `bench`
  // must not measure it on. What a fingerprint is, whoever trains decides.
  std::span<const uint32_t> trained;
};

inline constexpr uint32_t kIdBits = 16;
inline constexpr uint32_t kMostBucketBits = kIdBits - 1;

inline constexpr uint32_t gram_id(uint64_t hash) {
  return static_cast<uint32_t>(hash >> (64 - kIdBits));
}

// The id's top bits name the row, the next is the sign (set: subtract): the
// result is row * 2 + sign. REQUIRES: bucket_bits <= kMostBucketBits.
inline constexpr uint32_t gram_entry(uint32_t id, uint32_t bucket_bits) {
  return id >> (kMostBucketBits - bucket_bits);
}

// Bit of a word's or pair's hash in Model::seen; independent of the row.
inline uint32_t seen_bit(uint64_t hash, uint32_t seen_bits) {
  return static_cast<uint32_t>((hash * 0xa0761d6478bd642f) >> (64 - seen_bits));
}

}  // namespace llmroute::analyzer
