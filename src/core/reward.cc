#include "core/reward.h"

namespace llmroute::core {

double reward(const Outcome& outcome, const Worth& worth) {
  return worth.good_answer * outcome.quality - outcome.usd -
         worth.second * outcome.seconds;
}

}  // namespace llmroute::core
