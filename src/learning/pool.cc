#include "learning/pool.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace llmroute::learning {
namespace {

// The index below `models` with the largest value of `worth`, the cheaper of
// equals.
template <class Worth>
uint16_t best_of(size_t models, const float* cost, const Worth& worth) {
  size_t best = 0;
  double best_worth = -std::numeric_limits<double>::infinity();
  for (size_t m = 0; m < models; ++m) {
    const double value = worth(m);
    if (std::isnan(value)) continue;
    if (value > best_worth || (value == best_worth && cost[m] < cost[best])) {
      best = m;
      best_worth = value;
    }
  }
  return static_cast<uint16_t>(best);
}

}  // namespace

CostPoint PoolTable::mean_of(size_t model) const {
  CostPoint sum;
  for (size_t i = model; i < quality.size(); i += models) {
    sum.cost += static_cast<double>(cost[i]);
    sum.quality += static_cast<double>(quality[i]);
  }
  const auto n = static_cast<double>(rows);
  return {sum.cost / n, sum.quality / n};
}

std::vector<double> lambdas(const PoolTable& table) {
  constexpr int kSteps = 40;
  double largest = 0, smallest = std::numeric_limits<double>::infinity();
  for (size_t m = 0; m < table.models; ++m) {
    const double cost = table.mean_of(m).cost;
    largest = std::max(largest, cost);
    if (cost > 0) smallest = std::min(smallest, cost);
  }
  std::vector<double> all = {0};
  if (largest == 0) return all;
  // A gain of 0.002 in quality at the dearest model's cost, up to one of 2 at
  // the cheapest one's.
  const double low = 0.002 / largest, high = 2 / smallest;
  for (int i = 0; i <= kSteps; ++i) {
    all.push_back(low * std::pow(high / low, static_cast<double>(i) / kSteps));
  }
  all.push_back(1e6 / smallest);
  return all;
}

Choices choose(std::span<const float> chance, std::span<const float> cost,
               size_t models, double lambda) {
  Choices choices;
  choices.reserve(chance.size() / models);
  for (size_t row = 0; row < chance.size(); row += models) {
    choices.push_back(best_of(models, &cost[row], [&](size_t m) {
      return static_cast<double>(chance[row + m]) -
             lambda * static_cast<double>(cost[row + m]);
    }));
  }
  return choices;
}

std::vector<Choices> sweep(std::span<const float> chance,
                           std::span<const float> cost, size_t models,
                           std::span<const double> lambdas) {
  std::vector<Choices> ways;
  for (const double lambda : lambdas) {
    ways.push_back(choose(chance, cost, models, lambda));
  }
  return ways;
}

Choices cheapest_sufficient(const PoolTable& table) {
  Choices choices;
  for (size_t row = 0; row < table.quality.size(); row += table.models) {
    const auto good = [&](size_t m) {
      return table.quality[row + m] >= 0.5F ? 1.0 : 0.0;
    };
    choices.push_back(best_of(table.models, &table.cost[row], good));
  }
  return choices;
}

Choices best_quality(const PoolTable& table) {
  return choose(table.quality, table.cost, table.models, 0);
}

CostPoint mean_of(const PoolTable& table, const Choices& choices) {
  CostPoint sum;
  for (size_t row = 0; row < choices.size(); ++row) {
    const size_t at = row * table.models + choices[row];
    sum.cost += static_cast<double>(table.cost[at]);
    sum.quality += static_cast<double>(table.quality[at]);
  }
  const auto n = static_cast<double>(choices.size());
  return {sum.cost / n, sum.quality / n};
}

std::vector<float> columns_of(const PoolTable& table,
                              std::span<const Choices> ways) {
  std::vector<float> columns;
  columns.reserve(table.rows * ways.size() * 2);
  for (size_t row = 0; row < table.rows; ++row) {
    for (const Choices& way : ways) {
      const size_t at = row * table.models + way[row];
      columns.push_back(table.cost[at]);
      columns.push_back(table.quality[at]);
    }
  }
  return columns;
}

double CostLine::at(double bytes) const {
  return std::max(at_zero + per_byte * bytes, 0.0);
}

CostLine fit_cost(std::span<const CostSample> samples) {
  if (samples.empty()) return {};
  const auto n = static_cast<double>(samples.size());
  double bytes = 0, cost = 0, variance = 0, covariance = 0;
  for (const CostSample& s : samples) {
    bytes += s.bytes / n;
    cost += s.cost / n;
  }
  for (const CostSample& s : samples) {
    variance += (s.bytes - bytes) * (s.bytes - bytes);
    covariance += (s.bytes - bytes) * (s.cost - cost);
  }
  const double slope = variance > 0 ? covariance / variance : 0;
  return {cost - slope * bytes, slope};
}

}  // namespace llmroute::learning
