// The inner part of SHA-256 (FIPS 180-4): whole blocks of 64 bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace llmroute::base {

using Sha256State = std::array<uint32_t, 8>;
// Takes `blocks` blocks at `data` into the state.
using Sha256Blocks = void (*)(Sha256State& state, const uint8_t* data,
                              size_t blocks);

// The fastest of this machine.
Sha256Blocks sha256_blocks();
// That of every machine.
void sha256_blocks_portable(Sha256State& state, const uint8_t* data,
                            size_t blocks);

}  // namespace llmroute::base
