// CRC-32C (Castagnoli), the checksum of RFC 3720: finds every change of up to
// 32 neighbouring bits.
#pragma once

#include <cstdint>
#include <string_view>

namespace llmroute::base {

// By the instructions made for it where this machine has them. `before` is the
// sum of what comes before these bytes.
uint32_t crc32c(std::string_view bytes, uint32_t before = 0);

// As every machine can: eight bytes a step by tables (Kounavis and Berry 2005).
uint32_t crc32c_portable(std::string_view bytes, uint32_t before = 0);

}  // namespace llmroute::base
