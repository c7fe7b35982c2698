// What somebody expects of a decision: explain --expect, routing tests in CI.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "core/config.h"
#include "core/decision.h"

namespace llmroute::app {

struct Expectation {
  std::string key;  // "model", "tier", "cost" ...
  char comparison = '=';
  std::string wanted;
};

// "tier=small", "cost<0.01"; else kUsage.
base::Result<std::vector<Expectation>> parse_expectations(
    const std::vector<std::string>& texts);

// kNegative with every difference in words. REQUIRES: a candidate.
base::Status check_expectations(const core::Decision& decision,
                                const core::Config& config,
                                const std::vector<Expectation>& expectations);

}  // namespace llmroute::app
