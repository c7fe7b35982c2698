// What vector code tells of a stretch of text, so that no later step looks at
// single bytes: the text lower-cased, and where words, symbols and marks are.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace llmroute::analyzer {

inline constexpr size_t kBlockBytes = 64;  // a mask is one word of 64 bits
inline constexpr size_t kChunkBytes = 8 * kBlockBytes;

// A token is a symbol (one byte) or a run: as many letters, digits, apostrophes
// and bytes of multi-byte sequences as follow one another. Positions count from
// the begin of the text, which has at most 65,000 bytes.
struct Chunk {
  using Positions = std::array<uint16_t, kChunkBytes + kBlockBytes>;

  // The bytes as words are hashed: letters in lower case, digits '0', from 0x80
  // on 0. First the last block of the chunk before, then this chunk's; longer
  // by what a reader of 16 bytes may read too much.
  std::array<uint8_t, kBlockBytes + kChunkBytes + 16> lower{};
  // The n-th token begins at begins[n] and ends before ends[n]. There may be
  // one begin more than ends: that token goes on in the next chunk.
  Positions begins, ends;
  Positions marks;  // ASCII but letters, digits and blanks: ends of lines too
  size_t begin_count = 0, end_count = 0, mark_count = 0;
  uint64_t in_run = 0, in_symbol = 0;  // 1: the last byte of the block before
  uint32_t letters = 0, digits = 0, blanks = 0;  // in all chunks so far
};

// One bit for each byte of a block.
struct BlockMasks {
  uint64_t run = 0, symbol = 0, mark = 0;
};

namespace internal {

[[gnu::always_inline]] inline void append_four(uint64_t& bits, size_t base,
                                               uint16_t*& out) {
  for (int i = 0; i < 4; ++i) {
    *out++ = static_cast<uint16_t>(base +
                                   static_cast<size_t>(std::countr_zero(bits)));
    bits &= bits - 1;
  }
}

// Writes as many as `kUsual` and up to three more, because a branch for each
// would cost more.
template <int kUsual>
[[gnu::always_inline]] inline void append_positions(uint64_t bits, size_t base,
                                                    Chunk::Positions& positions,
                                                    size_t& count) {
  uint16_t* out = positions.data() + count;
  count += static_cast<size_t>(std::popcount(bits));
  append_four(bits, base, out);
  if constexpr (kUsual >= 8) append_four(bits, base, out);
  if constexpr (kUsual >= 12) append_four(bits, base, out);
  if constexpr (kUsual >= 16) append_four(bits, base, out);
  while (bits != 0) append_four(bits, base, out);
}

}  // namespace internal

// Inlined, so that it is compiled for the instruction set of its caller.
[[gnu::always_inline]] inline void append_block(Chunk& chunk,
                                                const BlockMasks& masks,
                                                size_t base) {
  const uint64_t after_run = masks.run << 1 | chunk.in_run;
  const uint64_t after_symbol = masks.symbol << 1 | chunk.in_symbol;
  chunk.in_run = masks.run >> 63;
  chunk.in_symbol = masks.symbol >> 63;
  internal::append_positions<16>((masks.run & ~after_run) | masks.symbol, base,
                                 chunk.begins, chunk.begin_count);
  internal::append_positions<16>((~masks.run & after_run) | after_symbol, base,
                                 chunk.ends, chunk.end_count);
  internal::append_positions<4>(masks.mark, base, chunk.marks,
                                chunk.mark_count);
}

}  // namespace llmroute::analyzer
