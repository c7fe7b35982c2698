// Why an answer ended, in the words of the protocols.
#pragma once

#include <string_view>

#include "core/reply.h"

namespace llmroute::core {

// Of OpenAI's chat and the servers that speak it, Anthropic, Gemini and Ollama;
// no two of them mean different things by one word. kOther: none of theirs.
Finish finish_of(std::string_view reason);

}  // namespace llmroute::core
