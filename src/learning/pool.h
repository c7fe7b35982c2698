// Routing among a pool of models at a price: for each lambda a prompt goes to
//   argmax over models (P(good) - lambda * expected cost),
// which from lambda 0 to infinity leads from the best answers to the cheapest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "learning/hull.h"

namespace llmroute::learning {

// What every model did on every row; row after row, `models` values each.
struct PoolTable {
  size_t rows = 0, models = 0;
  std::vector<float> quality;  // 0..1
  std::vector<float> cost;     // dollars

  CostPoint mean_of(size_t model) const;
};

// For each row the model that it goes to.
using Choices = std::vector<uint16_t>;

// Lambdas from "quality alone" to "cost alone", ascending, fit for the table's
// costs.
std::vector<double> lambdas(const PoolTable& table);

// `chance` and `cost` as they are laid out in a PoolTable; a model whose chance
// is NaN is never chosen unless all are. Ties go to the cheaper one.
Choices choose(std::span<const float> chance, std::span<const float> cost,
               size_t models, double lambda);
std::vector<Choices> sweep(std::span<const float> chance,
                           std::span<const float> cost, size_t models,
                           std::span<const double> lambdas);

// The cheapest model whose score is at least half, else the cheapest of all.
Choices cheapest_sufficient(const PoolTable& table);
// The cheapest of those with the row's best score.
Choices best_quality(const PoolTable& table);

CostPoint mean_of(const PoolTable& table, const Choices& choices);
// Cost and quality of each of `ways` per row, side by side, to be resampled.
std::vector<float> columns_of(const PoolTable& table,
                              std::span<const Choices> ways);

// A model's expected cost from the prompt's size: a line by least squares, not
// below zero.
struct CostLine {
  double at_zero = 0, per_byte = 0;
  double at(double bytes) const;
};
struct CostSample {
  double bytes = 0, cost = 0;
};
CostLine fit_cost(std::span<const CostSample> samples);

}  // namespace llmroute::learning
