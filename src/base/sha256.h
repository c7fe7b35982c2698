// SHA-256 (FIPS 180-4), for checksums of model files; not used for secrets.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace llmroute::base {

std::array<uint8_t, 32> sha256(std::string_view bytes);

// Lower-case hexadecimal of a digest.
std::string hex(const std::array<uint8_t, 32>& digest);

}  // namespace llmroute::base
