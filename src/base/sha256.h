// SHA-256 (FIPS 180-4), for checksums, fingerprints and keyed hashes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace llmroute::base {

// The digest of bytes that come in pieces.
class Sha256 {
 public:
  void update(std::string_view bytes);
  // Of all bytes so far. Ends the object's use.
  std::array<uint8_t, 32> finish();

 private:
  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372,
                                    0xa54ff53a, 0x510e527f, 0x9b05688c,
                                    0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> block_{};  // begins with bytes not yet hashed
  uint64_t size_ = 0;
};

std::array<uint8_t, 32> sha256(std::string_view bytes);

// The first 16 bytes of the digest: two texts with the same fingerprint are
// taken for the same text.
using Fingerprint = std::array<uint8_t, 16>;
Fingerprint fingerprint(std::string_view bytes);

// HMAC-SHA-256 (RFC 2104): digests under one key, which is hashed once.
class HmacSha256 {
 public:
  explicit HmacSha256(std::string_view key);
  std::array<uint8_t, 32> of(std::string_view message) const;

 private:
  Sha256 inner_, outer_;  // after the key
};

// Lower-case hexadecimal.
std::string hex(std::span<const uint8_t> bytes);

}  // namespace llmroute::base
