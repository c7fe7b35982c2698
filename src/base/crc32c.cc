#include "base/crc32c.h"

#include <array>
#include <cstddef>
#include <cstring>

// glibc's loader has asked the CPU already. Its header is no C++ for clang.
#if defined(__x86_64__) && !defined(__clang__) && \
    __has_include(<sys/platform/x86.h>)
#include <immintrin.h>
#include <sys/platform/x86.h>
#endif

namespace llmroute::base {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // bits reversed

// kTables[k][b]: what byte b does to the sum k bytes later.
constexpr std::array<std::array<uint32_t, 256>, 8> kTables = [] {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t sum = byte;
    for (int bit = 0; bit < 8; ++bit) {
      sum = (sum >> 1) ^ ((sum & 1) != 0 ? kPolynomial : 0);
    }
    tables[0][byte] = sum;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 255];
    }
  }
  return tables;
}();

#if defined(CPU_FEATURE_ACTIVE)
// An instruction waits three cycles for the one before, so three lanes are
// summed at once. The sum of one lane after another is found by a product of
// polynomials (Gopal et al. 2011, "Fast CRC computation for iSCSI polynomial
// using CRC32 instruction").
constexpr size_t kLane = 1024;

// What moves a sum `bytes` bytes on: x to the power of 8 * bytes - 33.
constexpr uint32_t mover(size_t bytes) {
  uint32_t power = 0x80000000;
  for (size_t i = 33; i < 8 * bytes; ++i) {
    power = (power >> 1) ^ ((power & 1) != 0 ? kPolynomial : 0);
  }
  return power;
}
constexpr uint32_t kByOneLane = mover(kLane), kByTwoLanes = mover(2 * kLane);

__attribute__((target("sse4.2,pclmul"))) uint64_t moved(uint64_t sum,
                                                        uint32_t by) {
  const __m128i product = _mm_clmulepi64_si128(
      _mm_cvtsi64_si128(static_cast<long long>(sum)), _mm_cvtsi64_si128(by), 0);
  return _mm_crc32_u64(0, static_cast<uint64_t>(_mm_cvtsi128_si64(product)));
}

__attribute__((target("sse4.2,pclmul"))) uint32_t sum_by_instructions(
    uint32_t before, const uint8_t* p, const uint8_t* end) {
  const auto eight = [](const uint8_t* at) {
    uint64_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return value;
  };
  uint64_t sum = before;
  for (; end - p >= ptrdiff_t{3 * kLane}; p += 2 * kLane) {
    uint64_t second = 0, third = 0;
    for (const uint8_t* const lane_end = p + kLane; p != lane_end; p += 8) {
      sum = _mm_crc32_u64(sum, eight(p));
      second = _mm_crc32_u64(second, eight(p + kLane));
      third = _mm_crc32_u64(third, eight(p + 2 * kLane));
    }
    sum = moved(sum, kByTwoLanes) ^ moved(second, kByOneLane) ^ third;
  }
  for (; end - p >= 8; p += 8) sum = _mm_crc32_u64(sum, eight(p));
  auto last = static_cast<uint32_t>(sum);
  for (; p != end; ++p) last = _mm_crc32_u8(last, *p);
  return last;
}
#endif

}  // namespace

uint32_t crc32c_portable(std::string_view bytes, uint32_t before) {
  uint32_t sum = ~before;
  const auto* p = reinterpret_cast<const uint8_t*>(bytes.data());
  const uint8_t* const end = p + bytes.size();
  for (; end - p >= 8; p += 8) {
    sum ^= p[0] | uint32_t{p[1]} << 8 | uint32_t{p[2]} << 16 |
           uint32_t{p[3]} << 24;
    sum = kTables[7][sum & 255] ^ kTables[6][(sum >> 8) & 255] ^
          kTables[5][(sum >> 16) & 255] ^ kTables[4][sum >> 24] ^
          kTables[3][p[4]] ^ kTables[2][p[5]] ^ kTables[1][p[6]] ^
          kTables[0][p[7]];
  }
  for (; p != end; ++p) sum = (sum >> 8) ^ kTables[0][(sum ^ *p) & 255];
  return ~sum;
}

uint32_t crc32c(std::string_view bytes, uint32_t before) {
#if defined(CPU_FEATURE_ACTIVE)
  if (CPU_FEATURE_ACTIVE(SSE4_2) && CPU_FEATURE_ACTIVE(PCLMULQDQ)) {
    const auto* begin = reinterpret_cast<const uint8_t*>(bytes.data());
    return ~sum_by_instructions(~before, begin, begin + bytes.size());
  }
#endif
  return crc32c_portable(bytes, before);
}

}  // namespace llmroute::base
