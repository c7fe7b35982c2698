#include <algorithm>
#include <cstring>

#include "analyzer/kernel.h"

#if defined(__x86_64__)
#include <emmintrin.h>

namespace llmroute::analyzer {
namespace {

// Bytes of each class so far in a chunk, negative, in 16 lanes: fewer
// instructions than counting the bits of masks.
struct Counts {
  __m128i letters = _mm_setzero_si128();
  __m128i digits = _mm_setzero_si128();
  __m128i blanks = _mm_setzero_si128();
};

uint32_t total(__m128i negative) {
  const __m128i zero = _mm_setzero_si128();
  const __m128i sums = _mm_sad_epu8(_mm_sub_epi8(zero, negative), zero);
  return static_cast<uint32_t>(_mm_cvtsi128_si32(sums) +
                               _mm_cvtsi128_si32(_mm_srli_si128(sums, 8)));
}

inline __m128i all(int byte) { return _mm_set1_epi8(static_cast<char>(byte)); }

// first <= byte < first + count, by one signed comparison.
inline __m128i in_range(__m128i bytes, int first, int count) {
  return _mm_cmplt_epi8(_mm_add_epi8(bytes, all(128 - first)),
                        all(count - 128));
}

inline __m128i either(__m128i a, __m128i b) { return _mm_or_si128(a, b); }

// #$%& *+ / <=> and, from 0x40 to 0x7e, whatever is no letter.
inline __m128i symbols_of(__m128i bytes, __m128i letter) {
  const __m128i low =
      either(either(in_range(bytes, '#', 4), in_range(bytes, '*', 2)),
             either(in_range(bytes, '<', 3), _mm_cmpeq_epi8(bytes, all('/'))));
  return either(low, _mm_andnot_si128(letter, in_range(bytes, 0x40, 0x3f)));
}

inline uint64_t mask_of(__m128i bytes, int shift) {
  return static_cast<uint64_t>(_mm_movemask_epi8(bytes)) << shift;
}

inline void index_quarter(const char* text, uint8_t* lower, int shift,
                          BlockMasks& masks, Counts& counts) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  const __m128i letter = in_range(either(bytes, all(0x20)), 'a', 26);
  const __m128i digit = in_range(bytes, '0', 10);
  const __m128i blank = _mm_cmpeq_epi8(bytes, all(' '));
  const __m128i high = _mm_cmplt_epi8(bytes, _mm_setzero_si128());
  // '0' | '0' ... '9' without their low bits; from 0x80 on nothing.
  const __m128i folded =
      _mm_andnot_si128(either(_mm_and_si128(digit, all(0x0f)), high),
                       either(bytes, _mm_and_si128(letter, all(0x20))));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(lower), folded);
  counts.letters = _mm_add_epi8(counts.letters, letter);
  counts.digits = _mm_add_epi8(counts.digits, digit);
  counts.blanks = _mm_add_epi8(counts.blanks, blank);
  const __m128i word = either(either(letter, digit), high);
  const __m128i apostrophe = _mm_cmpeq_epi8(bytes, all('\''));
  masks.run |= mask_of(either(word, apostrophe), shift);
  masks.symbol |= mask_of(symbols_of(bytes, letter), shift);
  masks.mark |= mask_of(either(word, blank), shift);  // inverted below
}

inline void index_block(const char* text, size_t base, uint8_t* lower,
                        Chunk& chunk, Counts& counts) {
  BlockMasks masks;
  for (int i = 0; i < 4; ++i) {
    index_quarter(text + 16 * i, lower + 16 * i, 16 * i, masks, counts);
  }
  masks.mark = ~masks.mark;
  append_block(chunk, masks, base);
}

void index_sse2(std::string_view text, size_t begin, Chunk& chunk) {
  const size_t end = std::min(text.size(), begin + kChunkBytes);
  uint8_t* lower = chunk.lower.data() + kBlockBytes;
  Counts counts;
  size_t base = begin;
  for (; base + kBlockBytes <= end; base += kBlockBytes) {
    index_block(text.data() + base, base, lower, chunk, counts);
    lower += kBlockBytes;
  }
  if (base != end) {
    char padded[kBlockBytes];
    std::memset(padded, ' ', kBlockBytes);
    std::memcpy(padded, text.data() + base, end - base);
    index_block(padded, base, lower, chunk, counts);
    chunk.blanks -= static_cast<uint32_t>(kBlockBytes - (end - base));
  }
  chunk.letters += total(counts.letters);
  chunk.digits += total(counts.digits);
  chunk.blanks += total(counts.blanks);
}

// x ^ -1 is -x - 1: what is missing is added at the end.
void add_rows_sse2(const Model& model, std::span<const uint16_t> ids,
                   std::array<int32_t, kHeadCount>& sums) {
  const uint32_t bits = model.bucket_bits;
  const GramRow* rows = model.rows.data();
  __m128i first = _mm_setzero_si128(), second = _mm_setzero_si128();
  int32_t negatives = 0;
  for (const uint16_t id : ids) {
    const uint32_t entry = gram_entry(id, bits);
    const int32_t bit = static_cast<int32_t>(entry & 1);
    const __m128i row = _mm_xor_si128(
        _mm_loadu_si128(
            reinterpret_cast<const __m128i*>(rows[entry >> 1].weight.data())),
        _mm_set1_epi32(-bit));
    first =
        _mm_add_epi16(first, _mm_srai_epi16(_mm_unpacklo_epi8(row, row), 8));
    second =
        _mm_add_epi16(second, _mm_srai_epi16(_mm_unpackhi_epi8(row, row), 8));
    negatives += bit;
  }
  int16_t lanes[kHeadCount];
  std::memcpy(lanes, &first, 16);
  std::memcpy(lanes + 8, &second, 16);
  for (size_t h = 0; h < kHeadCount; ++h) sums[h] += lanes[h] + negatives;
}

}  // namespace

const Kernel kSse2Kernel = {"sse2", index_sse2, add_rows_sse2};

}  // namespace llmroute::analyzer

#endif
