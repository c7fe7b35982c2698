// Copies of training prompts as somebody else would have typed them, so that
// such changes move the analyzer little.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace llmroute::learning {

// A changed copy of about every third prompt, chosen by a hash of the prompt:
// typos, case, blanks, punctuation and numbers, or words of courtesy, urgency
// and the like before or after it. Always the same for the same prompt and
// seed.
std::optional<std::string> augmented(std::string_view prompt, uint64_t seed);

}  // namespace llmroute::learning
