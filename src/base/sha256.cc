#include "base/sha256.h"

#include <algorithm>
#include <cstring>

#include "base/sha256_blocks.h"

namespace llmroute::base {

void Sha256::update(std::string_view bytes) {
  static const Sha256Blocks compress_blocks = sha256_blocks();
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  size_t left = bytes.size();
  const size_t used = size_ % 64;
  size_ += left;
  if (used != 0) {
    const size_t taken = std::min(left, 64 - used);
    std::memcpy(block_.data() + used, data, taken);
    if (used + taken < 64) return;
    compress_blocks(state_, block_.data(), 1);
    data += taken;
    left -= taken;
  }
  compress_blocks(state_, data, left / 64);
  data += left / 64 * 64;
  left %= 64;
  if (left != 0) std::memcpy(block_.data(), data, left);
}

std::array<uint8_t, 32> Sha256::finish() {
  const uint64_t bits = size_ * 8;
  std::array<char, 72> padding{};  // up to 56 bytes modulo 64, then the size
  const size_t zeros = 56 + (size_ % 64 < 56 ? 0 : 64) - size_ % 64;
  padding[0] = static_cast<char>(0x80);
  for (size_t i = 0; i < 8; ++i) {
    padding[zeros + i] = static_cast<char>(bits >> (56 - 8 * i));
  }
  update({padding.data(), zeros + 8});
  std::array<uint8_t, 32> digest{};
  for (size_t i = 0; i < 32; ++i) {
    digest[i] = static_cast<uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
  }
  return digest;
}

std::array<uint8_t, 32> sha256(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

Fingerprint fingerprint(std::string_view bytes) {
  const std::array<uint8_t, 32> digest = sha256(bytes);
  Fingerprint first{};
  std::copy_n(digest.begin(), first.size(), first.begin());
  return first;
}

HmacSha256::HmacSha256(std::string_view key) {
  std::array<char, 64> block{};
  if (key.size() > block.size()) {
    std::ranges::copy(sha256(key), block.begin());
  } else {
    std::ranges::copy(key, block.begin());
  }
  const auto begin_with = [&](char pad, Sha256& hash) {
    std::array<char, 64> padded = block;
    for (char& byte : padded) byte = static_cast<char>(byte ^ pad);
    hash.update({padded.data(), padded.size()});
  };
  begin_with(0x36, inner_);
  begin_with(0x5c, outer_);
}

std::array<uint8_t, 32> HmacSha256::of(std::string_view message) const {
  Sha256 inner = inner_, outer = outer_;
  inner.update(message);
  const std::array<uint8_t, 32> digest = inner.finish();
  outer.update({reinterpret_cast<const char*>(digest.data()), digest.size()});
  return outer.finish();
}

std::string hex(std::span<const uint8_t> bytes) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const uint8_t byte : bytes) {
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

}  // namespace llmroute::base
