// How much longer text becomes where a tokenizer normalises it first.
#pragma once

#include <cstdint>
#include <string_view>

namespace llmroute::core {

// Bytes that `text` may gain in Unicode's normalisation form NFKC, never too
// few: U+FDFA, for one, becomes 18 letters. Invalid UTF-8 gains nothing.
int64_t nfkc_growth(std::string_view text);

}  // namespace llmroute::core
