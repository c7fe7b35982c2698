// Flips: the smallest change of one number that gives the prompt to another
// model, all else equal. Found by choosing anew, so that a flip is true: with
// the changed number the other model is chosen, with 99 % of the change it is
// not.
#pragma once

#include <string>
#include <vector>

#include "core/config.h"
#include "core/decision.h"

namespace llmroute::routing {

enum class Lever {
  kWorth,    // what a good answer is worth, dollars: --worth
  kWait,     // what a second of waiting costs, dollars: --wait
  kPrice,    // of a model: a factor on each of its prices
  kTime,     // of a model: a factor on its seconds
  kAbility,  // of a model: logits added in every domain
};
std::string_view lever_name(Lever lever);  // "worth", "wait", "price" ...

struct Flip {
  Lever lever = Lever::kWorth;
  const core::Model* of = nullptr;  // whose price, time or ability
  const core::Model* winner = nullptr;
  double from = 0, to = 0;  // factors from 1, added logits from 0; `to` has as
                            // few digits as it can have
};

// The nearest one of: worth down, worth up, wait down, wait up, price of the
// chosen model up. Empty where worth does not decide: a fixed order, a named
// model. `ceiling`: of the request; under one prices are not tried, since they
// also decide what fits.
std::vector<Flip> flips(const core::Decision& decision,
                        const core::Config& config, bool ceiling);

// Every lever that alone makes `wanted` the chosen one, the smallest change
// first (by ratio; added logits by what they do to the odds).
// REQUIRES: it is a candidate and not the chosen one.
std::vector<Flip> ways_to(const core::Model& wanted,
                          const core::Decision& decision,
                          const core::Config& config, bool ceiling);

}  // namespace llmroute::routing
