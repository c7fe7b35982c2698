// What is learned for, in dollars: quality less cost and waiting. Only its
// terms are ever stored, so that other weights judge the same past.
#pragma once

#include "core/config.h"

namespace llmroute::core {

struct Outcome {
  double quality = 0;  // 0..1
  double usd = 0;      // of all calls: judges, hedges and retries too
  double seconds = 0;
};

double reward(const Outcome& outcome, const Worth& worth);

}  // namespace llmroute::core
