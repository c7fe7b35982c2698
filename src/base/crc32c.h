// CRC-32C (Castagnoli), the checksum of RFC 3720: finds every change of up to
// 32 neighbouring bits. Eight bytes a step by tables (Kounavis and Berry 2005).
#pragma once

#include <cstdint>
#include <string_view>

namespace llmroute::base {

uint32_t crc32c(std::string_view bytes);

}  // namespace llmroute::base
