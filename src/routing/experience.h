// What was learned from what happened, applied to a decision: verdicts,
// exploration, sessions. Measured times are estimate.h's.
#pragma once

#include "core/decision.h"
#include "core/experience.h"

namespace llmroute::routing {

// Moves P(good) of a candidate by the verdicts on it in the prompt's cell.
void learn_from_verdicts(const core::Experience& experience,
                         const core::Analysis& analysis,
                         core::Candidate& candidate);

// Notes it if the first is chosen only for being thought faster than it was
// measured, so that it is measured again.
void note_try(core::Decision& decision);

// A session stays with the model that answered it last, unless another gains
// more than `margin` (a share of a good answer's worth) and the prompt cache
// that would be lost. For candidates in order of worth.
void keep_session(const core::Session& session, double margin,
                  core::Decision& decision);

// How chance may decide.
struct Chance {
  double share = 0;  // 0..1 of requests
  double draw = 0;   // in [0, 1)
};

// Chance chooses among all candidates whose cost is known: with probability
// 1 - share the first, else each in proportion to exp(loss / T), where the loss
// in worth against the best is <= 0 and T a share of a good answer's worth.
// Sets every candidate's propensity; their sum is 1. Nothing that failed a gate
// is a candidate, so nothing of it is ever chosen.
void explore(const Chance& chance, core::Decision& decision);

inline constexpr double kTemperature = 0.25;  // of a good answer's worth

}  // namespace llmroute::routing
