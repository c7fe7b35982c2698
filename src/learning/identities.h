// Which rows are of one prompt: those that word the same, those that share the
// key of their paraphrases, and those that such a row joins. A copy without the
// key is of the prompt all the same, and so is an original whose wording is the
// key of the others.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace llmroute::learning {

struct PromptKeys {
  uint64_t wording = 0;     // Row::wording()
  uint64_t paraphrase = 0;  // the same in rows that share it; 0: none
};

// Per row a number, equal for rows of one prompt: the least key of its
// paraphrases, or its wording if it has none. The order of the rows does not
// matter; which rows there are does, so what is compared is given together.
std::vector<uint64_t> identities_of(std::span<const PromptKeys> rows);

}  // namespace llmroute::learning
