#include "base/crc32c.h"

#include <array>
#include <cstddef>

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

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  uint32_t sum = 0xffffffff;
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

}  // namespace llmroute::base
