// What the stub says when no rule says otherwise: an answer that is open about
// being no model's, derived from the request, with exact counts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "stub/dialect.h"
#include "stub/script.h"

namespace llmroute::stub {

// The stub's own tokenizer: four bytes to a token, rounded up.
constexpr int64_t tokens_of(int64_t bytes) { return (bytes + 3) / 4; }

// Deltas, finish reason and usage for `ask` as `reply` wants them. Scripted
// texts are sent as they are; only the built-in text and `words` obey the token
// limit. `number` counts requests and names the answer.
Answer make_answer(const Ask& ask, const Request& request, const Reply& reply,
                   uint64_t number);

}  // namespace llmroute::stub
