// Selection within a route: orders candidates by worth, or keeps the order
// given.
#pragma once

#include <vector>

#include "core/config.h"
#include "core/decision.h"

namespace llmroute::routing {

// P(m answers well) = sigmoid(slope * (sum over domains of p(d) * ability[d] -
// difficulty)): item response theory with the analyzer as the item's side and
// the registry as the model's.
double chance_good(const core::Analysis& analysis, const core::Model& model,
                   double difficulty);

// Of a candidate, its `learned` is added to that logit.
//
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

inline constexpr double kMostRaise = 1.0;   // logits
inline constexpr double kRaiseStep = 0.25;  // logits

}  // namespace llmroute::routing
