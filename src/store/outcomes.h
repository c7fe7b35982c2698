// Verdicts with what was known when the answer was asked for: what can be
// learned from without any text.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/database.h"

namespace llmroute::store {

struct OutcomeRow {
  std::string decision;
  std::string domain;  // the likeliest
  double difficulty = 0;
  std::string model;
  double score = 0;                  // 0 (bad) to 1 (good)
  std::optional<int64_t> cost_pico;  // known or likely, of all its calls
  int64_t ms = 0;                    // the same
};

// Feedback of people on the model that answered, and of checks on single
// attempts; those of prompts that were not analysed are left out.
base::Result<std::vector<OutcomeRow>> read_outcomes(Database& database);

}  // namespace llmroute::store
