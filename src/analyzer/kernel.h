// The two loops worth writing for each instruction set. All kernels give the
// same results to the bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "analyzer/chunk.h"
#include "analyzer/model.h"

namespace llmroute::analyzer {

// 16-bit sums of so many rows of int8 cannot overflow.
inline constexpr size_t kMostRows = 256;

struct Kernel {
  std::string_view name;
  // Appends the tokens and marks of text[begin, begin + kChunkBytes), or up to
  // the text's end, to `chunk`. Reads no byte outside of them.
  void (*index)(std::string_view text, size_t begin, Chunk& chunk);
  // Adds the rows of `ids` to the sums of the heads.
  // REQUIRES: ids.size() <= kMostRows.
  void (*add_rows)(const Model& model, std::span<const uint16_t> ids,
                   std::array<int32_t, kHeadCount>& sums);
};

// The fastest for this machine. Thread-safe.
const Kernel& best_kernel();

// Those that this machine can run, for tests; the plain one first.
std::span<const Kernel> testing_only_kernels();

extern const Kernel kPlainKernel;
#if defined(__x86_64__)
extern const Kernel kSse2Kernel;
extern const Kernel kAvx2Kernel;
#endif

}  // namespace llmroute::analyzer
