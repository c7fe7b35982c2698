// Fits a router model's own heads (analyzer/own_head.h) to the outcomes of
// single models.
#pragma once

#include <string>
#include <vector>

#include "analyzer/model.h"
#include "app/training_set.h"
#include "base/result.h"
#include "learning/solver.h"

namespace llmroute::app {

inline constexpr size_t kFewestOwnOutcomes = 50;

// kData: some glob matches no model with at least kFewestOwnOutcomes outcomes.
base::Status check_own_heads(const TrainingSet& set,
                             const std::vector<std::string>& globs);

// Models that get a head and of whose ability nothing is known count as of
// ability 0: what they are routed by when they are configured by name alone.
void assume_abilities(const std::vector<std::string>& globs, TrainingSet& set);

// For every model of the set whose name matches one of `globs`, in order of
// name, with at least kFewestOwnOutcomes outcomes in the training part; no more
// than kMostOwnHeads, those with most outcomes. `model` has its final slope.
std::vector<analyzer::OwnHead> fit_own_heads(
    const analyzer::Model& model, const learning::Solution& solution,
    const TrainingSet& set, const std::vector<std::string>& globs);

}  // namespace llmroute::app
