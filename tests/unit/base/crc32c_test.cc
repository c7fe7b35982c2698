#include "base/crc32c.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace llmroute::base {
namespace {

std::string counting(int from, int step) {
  std::string bytes;
  for (int i = 0; i < 32; ++i) bytes += static_cast<char>(from + step * i);
  return bytes;
}

// A bit at a time, from the definition.
uint32_t slow_crc32c(const std::string& bytes) {
  uint32_t sum = 0xffffffff;
  for (const char byte : bytes) {
    sum ^= static_cast<uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) {
      sum = (sum >> 1) ^ ((sum & 1) != 0 ? 0x82f63b78 : 0);
    }
  }
  return ~sum;
}

}  // namespace

TEST_CASE("checksums are those of RFC 3720, appendix B.4") {
  const std::string read_command(
      "\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x14\0\0\0\0\0\x04\0"
      "\0\0\0\x14\0\0\0\x18\x28\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0",
      48);
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
  CHECK(crc32c(counting(0, 1)) == 0x46dd794e);
  CHECK(crc32c(counting(31, -1)) == 0x113fdb5c);
  CHECK(crc32c(read_command) == 0xd9963a56);
  CHECK(crc32c("123456789") == 0xe3069283);
  CHECK(crc32c("") == 0);
}

TEST_CASE("checksums of all lengths are those of the definition") {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    CAPTURE(i);
    CHECK(crc32c(bytes) == slow_crc32c(bytes));
    CHECK(crc32c_portable(bytes) == slow_crc32c(bytes));
    bytes += static_cast<char>(i * 37 + 11);
  }
}

TEST_CASE("checksums of long texts are those of the definition") {
  std::mt19937 random(1);
  std::string bytes;
  for (int i = 0; i < 20'000; ++i) bytes += static_cast<char>(random());
  for (const size_t size :
       {3071U, 3072U, 3073U, 3080U, 6143U, 6144U, 7777U, 20'000U}) {
    CAPTURE(size);
    const std::string part = bytes.substr(0, size);
    CHECK(crc32c(part) == slow_crc32c(part));
    CHECK(crc32c_portable(part) == slow_crc32c(part));
  }
}

TEST_CASE("a checksum goes on where another ended") {
  std::string bytes(5000, 'x');
  for (size_t i = 0; i < bytes.size(); i += 3) bytes[i] = static_cast<char>(i);
  const std::string_view all(bytes);
  for (const size_t cut : {0U, 1U, 8U, 100U, 1500U, 4999U, 5000U}) {
    CAPTURE(cut);
    CHECK(crc32c(all.substr(cut), crc32c(all.substr(0, cut))) == crc32c(all));
    CHECK(crc32c_portable(all.substr(cut), crc32c(all.substr(0, cut))) ==
          crc32c(all));
  }
}

}  // namespace llmroute::base
