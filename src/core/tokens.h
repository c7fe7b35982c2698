// Token counts without a tokenizer: an estimate for routing and a bound for
// money.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/prompt.h"

namespace llmroute::core {

// Expected tokens of `text` with a modern byte-pair vocabulary, from its script
// and shape. Within about 20 % on English prose and code; not a bound.
int64_t estimate_tokens(std::string_view text);
int64_t estimate_input_tokens(const Prompt& prompt);

// Upper bound of the input tokens of a request: a byte-level tokenizer never
// makes more tokens than bytes, but some normalise the text first, which can
// make it longer (core/nfkc.h); plus 16 per message, call or tool and 64 for
// the provider's own framing, or 1000 with tools or calls.
int64_t input_token_bound(const Prompt& prompt);

}  // namespace llmroute::core
