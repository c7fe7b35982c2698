#include "analyzer/kernel.h"

#include <algorithm>
#include <array>
#include <vector>

#include "analyzer/scan.h"

// glibc's loader has asked the CPU already; each further question takes a
// virtual machine 4 to 8 us. The header of glibc 2.36 is no C++ for clang.
#if defined(__x86_64__) && !defined(__clang__) && \
    __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
#endif

namespace llmroute::analyzer {
namespace {

void index_byte(uint8_t c, size_t bit, Chunk& chunk, uint8_t& lower,
                BlockMasks& masks) {
  const ByteKind kind = kByteTable.kind[c];
  const uint64_t at = uint64_t{1} << bit;
  lower = kind == ByteKind::kLead ? 0 : kByteTable.lower[c];
  const bool letter = kind == ByteKind::kLetter;
  const bool digit = kind == ByteKind::kDigit;
  chunk.letters += letter;
  chunk.digits += digit;
  chunk.blanks += c == ' ';
  if (letter || digit || kind == ByteKind::kLead) {
    masks.run |= at;
    return;
  }
  if (kind == ByteKind::kInvisible) masks.run |= at;
  if (kind == ByteKind::kSymbol) masks.symbol |= at;
  if (c != ' ') masks.mark |= at;
}

void index_plain(std::string_view text, size_t begin, Chunk& chunk) {
  const size_t end = std::min(text.size(), begin + kChunkBytes);
  for (size_t base = begin; base < end; base += kBlockBytes) {
    uint8_t* lower = chunk.lower.data() + kBlockBytes + (base - begin);
    const size_t size = std::min(kBlockBytes, end - base);
    BlockMasks masks;
    for (size_t i = 0; i < size; ++i) {
      index_byte(static_cast<uint8_t>(text[base + i]), i, chunk, lower[i],
                 masks);
    }
    append_block(chunk, masks, base);
  }
}

void add_rows_plain(const Model& model, std::span<const uint16_t> ids,
                    std::array<int32_t, kHeadCount>& sums) {
  const uint32_t bits = model.bucket_bits;
  const GramRow* rows = model.rows.data();
  for (const uint16_t id : ids) {
    const uint32_t entry = gram_entry(id, bits);
    const GramRow& row = rows[entry >> 1];
    for (size_t h = 0; h < kHeadCount; ++h) {
      sums[h] += (entry & 1) != 0 ? -row.weight[h] : row.weight[h];
    }
  }
}

[[maybe_unused]] bool has_avx2() {
#if defined(CPU_FEATURE_ACTIVE)
  return CPU_FEATURE_ACTIVE(AVX2) && CPU_FEATURE_ACTIVE(BMI1) &&
         CPU_FEATURE_ACTIVE(POPCNT);
#elif defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("popcnt");
#else
  return false;
#endif
}

}  // namespace

const Kernel kPlainKernel = {"plain", index_plain, add_rows_plain};

const Kernel& best_kernel() {
#if defined(__x86_64__)
  static const Kernel& best = has_avx2() ? kAvx2Kernel : kSse2Kernel;
  return best;
#else
  return kPlainKernel;
#endif
}

std::span<const Kernel> testing_only_kernels() {
  static const std::vector<Kernel> kernels = [] {
    std::vector<Kernel> all = {kPlainKernel};
#if defined(__x86_64__)
    all.push_back(kSse2Kernel);
    if (has_avx2()) all.push_back(kAvx2Kernel);
#endif
    return all;
  }();
  return kernels;
}

}  // namespace llmroute::analyzer
