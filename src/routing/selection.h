// Selection within a route: orders candidates by worth, or keeps the order
// given.
#pragma once

#include <vector>

#include "core/config.h"
#include "core/decision.h"

namespace llmroute::routing {

inline constexpr double kMostRaise = 1.0;   // logits
inline constexpr double kRaiseStep = 0.25;  // logits

// P(m answers well) = sigmoid(slope * (sum over domains of p(d) * ability[d] -
// difficulty)): item response theory with the analyzer as the item's side and
// the registry as the model's.
// `learned`: a candidate's, added to that logit.
double chance_good(const core::Analysis& analysis, const core::Model& model,
                   double difficulty, double learned = 0);

// Fills `good`, `worth` and `per_good_answer` of every candidate for
// `difficulty`.
//   worth(m) = worth * P(good) - cost - wait * seconds
// An unknown cost counts as nothing here; such candidates are ordered last.
void weigh(std::vector<core::Candidate>& candidates,
           const core::Analysis& analysis, const core::Worth& worth,
           double difficulty);

// Orders best first: what is worth its cost by worth, then what is not by cost
// per good answer (who asks wants an answer, so the least loss is not the aim),
// then what has no known price; ties by name. Each model's place among the
// others depends on its own numbers only.
//
// Where the analyzer is unsure, tries higher difficulties, up to
// kMostRaise * (1 - confidence) in steps of kRaiseStep, and takes the one whose
// winner has the highest tier (the lowest such difficulty). The steps for a
// lower confidence include those for a higher one, so lowering the confidence
// never lowers the tier: unsure fails towards quality. Returns the difficulty
// used.
double order_by_worth(std::vector<core::Candidate>& candidates,
                      const core::Analysis& analysis, const core::Worth& worth,
                      const core::Config& config);

// What decides between candidates.
struct Score {
  bool priced = false;         // whether the cost is known
  double worth = 0;            // dollars
  double per_good_answer = 0;  // dollars

  // 0: worth its cost, 1: not, 2: cost unknown.
  int standing() const { return priced ? (worth >= 0 ? 0 : 1) : 2; }
};
// `spent`: cost and wait, dollars. Inline: flips ask thousands of times.
inline Score score_of(bool priced, double spent, double good,
                      const core::Worth& worth) {
  return {priced, worth.good_answer * good - spent, spent / good};
}
inline bool better(const Score& a, const core::Model& of_a, const Score& b,
                   const core::Model& of_b) {
  const int standing = a.standing();
  if (standing != b.standing()) return standing < b.standing();
  if (standing == 1 && a.per_good_answer != b.per_good_answer) {
    return a.per_good_answer < b.per_good_answer;
  }
  if (standing != 1 && a.worth != b.worth) return a.worth > b.worth;
  return of_a.name < of_b.name;
}

// The steps by which doubt raises the difficulty; `tier_at(step)` is the tier
// of who wins there.
template <class TierAt>
int steps_raised(double confidence, TierAt tier_at) {
  const double most = kMostRaise * (1 - confidence);
  size_t highest = tier_at(0);
  int used = 0;
  for (int step = 1; step * kRaiseStep <= most; ++step) {
    const size_t tier = tier_at(step);
    if (tier <= highest) continue;
    highest = tier;
    used = step;
  }
  return used;
}

}  // namespace llmroute::routing
