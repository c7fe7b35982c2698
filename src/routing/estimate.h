// What one call would take: tokens, money, seconds; and whether it fits the
// model's window and the ceiling.
#pragma once

#include <optional>

#include "core/analysis.h"
#include "core/decision.h"
#include "core/experience.h"
#include "core/prompt.h"

namespace llmroute::routing {

struct Sizes {
  int64_t input_tokens = 0;  // expected
  int64_t input_bound = 0;   // never more than this
};

Sizes measure(const core::Prompt& prompt);

// Fills everything of a candidate but `good` and `worth`. The output cap is the
// user's own, else the model's limit, clamped to the window and to what
// `ceiling` can pay for.
core::Candidate estimate(const core::Model& model,
                         const core::Provider& provider, const Sizes& sizes,
                         const core::Analysis& analysis,
                         const core::Prompt& prompt,
                         std::optional<core::Money> ceiling);

// As the registry lists it.
double seconds_per_token(const core::Model& model);

// Expects the time that was measured, if any was, in place of the registry's.
void expect_measured(const core::Experience& experience,
                     core::Candidate& candidate);

// Window and budget gates, for a candidate made by estimate(). What has no
// worst case passes no ceiling unless it is `allow_unpriced`.
std::optional<core::Exclusion> does_not_fit(const core::Candidate& candidate,
                                            const Sizes& sizes,
                                            const core::Prompt& prompt,
                                            std::optional<core::Money> ceiling,
                                            bool allow_unpriced);

// What the candidate for the prompt may cost at the least: in the worst case of
// the shortest limit that an answer should have. Nothing: that is not known.
std::optional<core::Money> least_cost(const core::Candidate& candidate,
                                      const core::Prompt& prompt);

// Lowers its output cap to what `most` pays for. False, and nothing is changed:
// that would be no sensible answer, or the cap is not what costs too much.
bool lower_cap(const core::Prompt& prompt, core::Money most,
               core::Candidate& candidate);

}  // namespace llmroute::routing
