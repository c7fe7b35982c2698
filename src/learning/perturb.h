// A prompt as somebody else would have typed it: changes that should not change
// where it is routed to. Seeded; only ASCII characters are touched.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "learning/random.h"

namespace llmroute::learning {

inline constexpr size_t kPrefixCount = 20;    // injected ones, the last
inline constexpr size_t kPerturbations = 30;  // with them

// "1 % typos", "upper case" ...; every injected prefix is "injected prefix".
std::string_view perturbation_name(size_t which);

// What an injected prefix puts in front; "" for the other changes.
std::string_view injected_prefix(size_t which);

// REQUIRES: which < kPerturbations.
std::string perturbed(std::string_view prompt, size_t which, Random& random);

}  // namespace llmroute::learning
