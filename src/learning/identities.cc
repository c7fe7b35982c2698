#include "learning/identities.h"

#include <algorithm>
#include <unordered_map>

namespace llmroute::learning {
namespace {

// Wordings and keys as a forest, a tree per prompt; the root is its least key.
// What was never joined is no node, and a tree of its own.
class Prompts {
 public:
  void join(uint64_t wording, uint64_t key) {
    const uint64_t roots[] = {root(wording), root(key)};
    uint64_t least = key;
    for (const uint64_t root : roots) {
      if (parent_.contains(root)) least = std::min(least, root);
    }
    for (const uint64_t child : {roots[0], roots[1], key}) {
      parent_[child] = least;
    }
  }

  // Halves the way for the next call.
  uint64_t root(uint64_t node) {
    for (auto at = parent_.find(node); at != parent_.end();) {
      const auto above = parent_.find(at->second);
      if (above->second == at->second) return at->second;
      at->second = above->second;
      at = parent_.find(at->second);
    }
    return node;
  }

 private:
  std::unordered_map<uint64_t, uint64_t> parent_;
};

}  // namespace

std::vector<uint64_t> identities_of(std::span<const PromptKeys> rows) {
  Prompts prompts;
  for (const PromptKeys& row : rows) {
    if (row.paraphrase != 0) prompts.join(row.wording, row.paraphrase);
  }
  std::vector<uint64_t> identities;
  identities.reserve(rows.size());
  for (const PromptKeys& row : rows) {
    identities.push_back(prompts.root(row.wording));
  }
  return identities;
}

}  // namespace llmroute::learning
