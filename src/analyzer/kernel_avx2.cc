#include <algorithm>
#include <cstring>

#include "analyzer/kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>

// Not by the file's flags: inline functions of the standard library compiled
// here may be the copies that the rest of the program gets.
#define LLMROUTE_AVX2 [[gnu::target("avx2,bmi,popcnt")]]

namespace llmroute::analyzer {
namespace {

struct HalfMasks {
  uint32_t letter, digit, apostrophe, blank, high, symbol;
};

// A byte is a symbol if the tables have a bit in common at its two halves.
// Bits: rows 2, 3, 4 and 6, 5, 7 of ASCII: #$%&*+/ <=> @` [\]^_ {|}~
LLMROUTE_AVX2 inline __m256i symbols_of(__m256i bytes) {
  const __m256i low_half = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(4, 0, 0, 1, 1, 1, 1, 0, 0, 0, 1, 25, 26, 26, 26, 9));
  const __m256i high_half = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, 0, 1, 2, 4, 8, 4, 16, 0, 0, 0, 0, 0, 0, 0, 0));
  const __m256i high =
      _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
  const __m256i common = _mm256_and_si256(_mm256_shuffle_epi8(low_half, bytes),
                                          _mm256_shuffle_epi8(high_half, high));
  return _mm256_cmpgt_epi8(common, _mm256_setzero_si256());
}

// first <= byte < first + count, by one signed comparison.
LLMROUTE_AVX2 inline __m256i in_range(__m256i bytes, int first, int count) {
  const __m256i shifted =
      _mm256_add_epi8(bytes, _mm256_set1_epi8(static_cast<char>(128 - first)));
  return _mm256_cmpgt_epi8(_mm256_set1_epi8(static_cast<char>(count - 128)),
                           shifted);
}

LLMROUTE_AVX2 inline uint32_t mask_of(__m256i bytes) {
  return static_cast<uint32_t>(_mm256_movemask_epi8(bytes));
}

LLMROUTE_AVX2 inline HalfMasks half_block(const char* text, uint8_t* lower) {
  const __m256i bytes =
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text));
  const __m256i bit = _mm256_set1_epi8(0x20);
  const __m256i letter = in_range(_mm256_or_si256(bytes, bit), 'a', 26);
  const __m256i digit = in_range(bytes, '0', 10);
  const __m256i folded = _mm256_or_si256(bytes, _mm256_and_si256(letter, bit));
  const __m256i zeros =
      _mm256_blendv_epi8(folded, _mm256_set1_epi8('0'), digit);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(lower),
                      _mm256_max_epi8(zeros, _mm256_setzero_si256()));
  return {mask_of(letter),
          mask_of(digit),
          mask_of(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\''))),
          mask_of(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(' '))),
          mask_of(bytes),
          mask_of(symbols_of(bytes))};
}

inline uint64_t join(uint32_t first, uint32_t second) {
  return first | uint64_t{second} << 32;
}

LLMROUTE_AVX2 inline void index_block(const char* text, size_t base,
                                      uint8_t* lower, Chunk& chunk) {
  const HalfMasks a = half_block(text, lower);
  const HalfMasks b = half_block(text + 32, lower + 32);
  const uint64_t letter = join(a.letter, b.letter);
  const uint64_t digit = join(a.digit, b.digit);
  const uint64_t blank = join(a.blank, b.blank);
  const uint64_t word = letter | digit | join(a.high, b.high);
  chunk.letters += static_cast<uint32_t>(std::popcount(letter));
  chunk.digits += static_cast<uint32_t>(std::popcount(digit));
  chunk.blanks += static_cast<uint32_t>(std::popcount(blank));
  append_block(chunk,
               {word | join(a.apostrophe, b.apostrophe),
                join(a.symbol, b.symbol), ~(word | blank)},
               base);
}

LLMROUTE_AVX2 void index_avx2(std::string_view text, size_t begin,
                              Chunk& chunk) {
  const size_t end = std::min(text.size(), begin + kChunkBytes);
  uint8_t* lower = chunk.lower.data() + kBlockBytes;
  size_t base = begin;
  for (; base + kBlockBytes <= end; base += kBlockBytes) {
    index_block(text.data() + base, base, lower, chunk);
    lower += kBlockBytes;
  }
  if (base == end) return;
  char padded[kBlockBytes];
  std::memset(padded, ' ', kBlockBytes);
  std::memcpy(padded, text.data() + base, end - base);
  index_block(padded, base, lower, chunk);
  chunk.blanks -= static_cast<uint32_t>(kBlockBytes - (end - base));
}

LLMROUTE_AVX2 void add_rows_avx2(const Model& model,
                                 std::span<const uint16_t> ids,
                                 std::array<int32_t, kHeadCount>& sums) {
  const uint32_t bits = model.bucket_bits;
  const GramRow* rows = model.rows.data();
  const __m256i signs[2] = {_mm256_set1_epi16(1), _mm256_set1_epi16(-1)};
  __m256i total = _mm256_setzero_si256();
  for (const uint16_t id : ids) {
    const uint32_t entry = gram_entry(id, bits);
    const __m256i row = _mm256_cvtepi8_epi16(_mm_loadu_si128(
        reinterpret_cast<const __m128i*>(rows[entry >> 1].weight.data())));
    total = _mm256_add_epi16(total, _mm256_sign_epi16(row, signs[entry & 1]));
  }
  int16_t lanes[kHeadCount];
  std::memcpy(lanes, &total, sizeof lanes);
  for (size_t h = 0; h < kHeadCount; ++h) sums[h] += lanes[h];
}

}  // namespace

const Kernel kAvx2Kernel = {"avx2", index_avx2, add_rows_avx2};

}  // namespace llmroute::analyzer

#endif
