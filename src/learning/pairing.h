// Which two models of a source of outcomes are compared.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace llmroute::learning {

using Scores = std::vector<std::pair<std::string, double>>;  // model, 0..1

struct ModelPair {
  std::string strong, weak;
  double strong_mean = 0, weak_mean = 0;
};

// The model with the best mean and the one at the lower quartile, of those that
// answered nine tenths of the rows. Nothing with fewer than two such models, or
// if they differ by less than 0.01.
std::optional<ModelPair> choose_pair(std::span<const Scores* const> rows);

// Both models' scores (strong, weak) on a row; nothing if one is missing.
std::optional<std::pair<double, double>> scores_of(const Scores& row,
                                                   const ModelPair& pair);

}  // namespace llmroute::learning
