// The language of a prompt, as far as its script tells.
#pragma once

#include <string>

#include "analyzer/scan.h"

namespace llmroute::analyzer {

// One of core::kScripts, by most of the letters: ISO 639-1 where the script
// belongs to one language ("el", "he", "zh", "ja", "ko"), else the script's
// name
// ("indic": those of India and of its neighbours to Thailand); "" without
// letters. Languages that share a script are not told apart.
std::string language_of(const Surface& surface);

}  // namespace llmroute::analyzer
