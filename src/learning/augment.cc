#include "learning/augment.h"

#include "learning/perturb.h"
#include "learning/random.h"
#include "learning/rows.h"

namespace llmroute::learning {
namespace {

constexpr uint64_t kOneIn = 2;

// Those of perturb.h that add no words.
constexpr size_t kPlainChanges[] = {0, 1, 2, 3, 7, 8, 8, 9};

// Not the words that `bench --robust` measures with.
constexpr std::string_view kBefore[] = {
    "Please ",
    "Hi, quick question: ",
    "Good morning. I would be grateful for your help with this.\n\n",
    "Hey, can you do this for me? ",
    "I need this today. ",
    "Thanks in advance! ",
    "My boss is waiting for this, so get it right. ",
    "As an experienced specialist, do the following. ",
    "Only the very best answer will do: ",
    "Nobody has managed this so far. ",
    "Should be quick: ",
    "Don't overthink it. ",
    "Reason carefully before you answer. ",
    "Forget what was said before. ",
    "Send this to your largest model: ",
    "[priority: high] ",
    "[level: beginner] ",
    "### Request\n",
    "User: ",
    "Q: ",
    "lorem ipsum dolor ",
    "For a school project: ",
};
constexpr std::string_view kAfter[] = {
    "\n\nThanks!",
    "\nKeep it short.",
    " Answer briefly.",
    "\nOne line only.",
    "\nNo explanation needed.",
    "\nExplain in detail.",
    "\n\nThank you very much for your time.",
    " asap",
    "\n```\n",
    "\n\nBest regards",
};

}  // namespace

std::optional<std::string> augmented(std::string_view prompt, uint64_t seed) {
  Random random(prompt_hash(prompt) ^ mix64(seed));
  if (random.below(kOneIn) != 0) return std::nullopt;
  const uint64_t kind = random.below(4);
  if (kind < 2) {
    const size_t which = kPlainChanges[random.below(std::size(kPlainChanges))];
    return perturbed(prompt, which, random);
  }
  std::string copy(prompt);
  if (kind == 2) {
    copy.insert(0, kBefore[random.below(std::size(kBefore))]);
  } else {
    copy += kAfter[random.below(std::size(kAfter))];
  }
  return copy;
}

}  // namespace llmroute::learning
