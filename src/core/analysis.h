// What the analyzer says of a prompt. Plain numbers, no text of the prompt but
// the n-grams asked for by explain.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/domain.h"

namespace llmroute::core {

// What Analysis::language may be, besides "": a script, or the one language
// that is written in it.
inline constexpr std::array<std::string_view, 9> kScripts = {
    "latin", "cyrillic", "arabic", "indic", "el", "he", "zh", "ja", "ko"};

struct Analysis {
  PerDomain domain{};  // probabilities, sum 1
  double difficulty =
      0;             // logits, on the scale of Model::ability (0: GPT-4o class)
  double slope = 1;  // of P(good) = sigmoid(slope * (ability - difficulty));
                     // from the model file
  double confidence = 0;  // 0..1: how far to trust the above; from coverage and
                          // how peaked `domain` is
  double coverage =
      0;  // 0..1: share of the prompt's n-grams that were seen in training
  double output_tokens = 0;  // expected tokens of the answer
  double urgency = 0;        // 0..1: probability that someone is waiting for it
  std::string language;      // one of kScripts; "" if no letters
  // What the router model learned of single models from their own outcomes:
  // added to the logit of P(good), -3..3.
  struct Learned {
    std::string model;  // by name or id
    double logit = 0;
  };
  std::vector<Learned> learned;
  int64_t bytes = 0;       // of the text given
  int64_t bytes_read = 0;  // of it looked at (long context: head and tail)
};

// 0 for a model that nothing was learned of.
double learned_logit(const Analysis& analysis, std::string_view name,
                     std::string_view id);

// 0..1 for people: the chance that a model of ability 0 (GPT-4o class) fails.
double hardness(const Analysis& analysis);

// 1 / (1 + exp(-x)).
double sigmoid(double x);

// One feature that moved a head, for explain.
struct Contribution {
  std::string text;   // the n-gram as in the prompt (lower-cased), or a name in
                      // brackets: "[digits]"
  std::string head;   // "difficulty", "code", "length" ...
  double weight = 0;  // of one occurrence
  int64_t count = 0;  // occurrences in the prompt
  double contribution = 0;  // what it added to the head's score (logits)
};

}  // namespace llmroute::core
