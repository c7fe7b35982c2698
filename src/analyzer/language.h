// The language of a prompt, from its script; Latin script is left to the words.
#pragma once

#include <string>

#include "analyzer/scan.h"

namespace llmroute::analyzer {

// ISO 639-1 where the script tells ("ja", "ko", "zh", "th", "el", "he"), else
// the script's name ("latin", "cyrillic", "arabic", "indic"); "" without
// letters. English, the Latin language with many words of its own among the
// word classes, is told as "en".
std::string language_of(const Surface& surface);

}  // namespace llmroute::analyzer
