#include "learning/study_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "learning/random.h"

namespace llmroute::learning {
namespace {

constexpr double kGuard = 1.645;  // standard errors: one-sided 95 %
constexpr size_t kFewestLabels = 300;
constexpr size_t kFolds = 5, kRounds = 20;

struct Sums {
  double n = 0, cost = 0, quality = 0, margin = 0, margin2 = 0;
  void add(double of_cost, double of_quality, double of_margin) {
    n += 1;
    cost += of_cost;
    quality += of_quality;
    margin += of_margin;
    margin2 += of_margin * of_margin;
  }
  // Of quality over the floor, less what chance may take.
  double guarded() const {
    const double mean = margin / n;
    const double variance = std::max(margin2 / n - mean * mean, 0.0);
    return mean - kGuard * std::sqrt(variance / n);
  }
};

class Tuning {
 public:
  Tuning(const PoolData& pool, double share)
      : pool_(pool),
        share_(share),
        lambdas_(learning::lambdas(pool.table)),
        ways_(sweep(pool.chance, pool.expected_cost, pool.table.models,
                    lambdas_)) {}

  struct Found {
    size_t way = 0;
    Sums sums;
  };

  size_t best_of(const std::vector<uint32_t>& rows) const {
    std::vector<double> quality(pool_.table.models);
    for (const uint32_t row : rows) {
      for (size_t m = 0; m < quality.size(); ++m) {
        quality[m] += quality_of(row, m);
      }
    }
    return static_cast<size_t>(
        std::max_element(quality.begin(), quality.end()) - quality.begin());
  }

  // The way that costs least of those that keep the guarded floor on `rows`.
  std::optional<Found> find(const std::vector<uint32_t>& rows) const {
    const size_t best = best_of(rows);
    std::optional<Found> found;
    for (size_t w = 0; w < ways_.size(); ++w) {
      const Sums sums = sums_of(rows, w, best);
      if (sums.guarded() < 0) continue;
      if (!found || sums.cost < found->sums.cost) found = {w, sums};
    }
    return found;
  }

  Sums sums_of(const std::vector<uint32_t>& rows, size_t way,
               size_t best) const {
    Sums sums;
    for (const uint32_t row : rows) {
      const size_t model = ways_[way][row];
      const double quality = quality_of(row, model);
      sums.add(static_cast<double>(
                   pool_.table.cost[row * pool_.table.models + model]),
               quality, quality - share_ * quality_of(row, best));
    }
    return sums;
  }

  double lambda(size_t way) const { return lambdas_[way]; }

 private:
  double quality_of(size_t row, size_t model) const {
    return static_cast<double>(
        pool_.table.quality[row * pool_.table.models + model]);
  }

  const PoolData& pool_;
  double share_;
  std::vector<double> lambdas_;
  std::vector<Choices> ways_;
};

// Tunes on all folds but one and looks whether that one keeps the floor.
void try_on_folds(const Tuning& tuning, const PoolData& pool, uint64_t seed,
                  TargetReport& report) {
  size_t broken = 0;
  for (uint64_t round = 0; round < kRounds; ++round) {
    for (uint64_t fold = 0; fold < kFolds; ++fold) {
      std::vector<uint32_t> fitted, held;
      for (uint32_t row = 0; row < pool.table.rows; ++row) {
        const uint64_t hash = mix64(pool.prompt[row] + mix64(seed + round));
        (hash % kFolds == fold ? held : fitted).push_back(row);
      }
      if (fitted.empty() || held.empty()) continue;
      const auto found = tuning.find(fitted);
      if (!found) continue;
      ++report.folds;
      broken +=
          tuning.sums_of(held, found->way, tuning.best_of(fitted)).margin <
          -1e-9;
    }
  }
  if (report.folds > 0) {
    report.floor_broken =
        static_cast<double>(broken) / static_cast<double>(report.folds);
  }
}

// Why the models leave nothing to tune; empty if they do.
std::string nothing_to_tune(const StudyTable& study, const PoolData& pool) {
  const PoolTable& table = pool.table;
  size_t best = 0, cheapest = 0, known = 0;
  for (size_t m = 0; m < table.models; ++m) {
    known += !std::isnan(pool.chance[m]);
    const CostPoint mean = table.mean_of(m);
    if (mean.quality > table.mean_of(best).quality) best = m;
    if (mean.cost < table.mean_of(cheapest).cost) cheapest = m;
  }
  if (known < 2) return "the router knows fewer than two of the models";
  if (best == cheapest ||
      table.mean_of(cheapest).quality >= table.mean_of(best).quality) {
    return fmt::format("the cheapest model is as good as any: use {}",
                       study.models[cheapest]);
  }
  return "";
}

}  // namespace

TargetReport refuse_target(double share, std::string why) {
  TargetReport report;
  report.share = share;
  report.refused = std::move(why);
  return report;
}

TargetReport tune_target(const StudyTable& study, const PoolData& pool,
                         double share, uint64_t seed) {
  TargetReport report;
  report.share = share;
  report.rows = pool.table.rows;
  report.refused = nothing_to_tune(study, pool);
  if (!report.refused.empty()) return report;
  if (report.rows < kFewestLabels) {
    report.warnings.push_back(
        fmt::format("only {} rows; under {} a tuned worth is a guess",
                    report.rows, kFewestLabels));
  }
  const Tuning tuning(pool, share);
  std::vector<uint32_t> all(pool.table.rows);
  for (uint32_t i = 0; i < all.size(); ++i) all[i] = i;
  const CostPoint best = pool.table.mean_of(tuning.best_of(all));
  report.best_quality = best.quality;
  report.best_cost = best.cost;
  const auto found = tuning.find(all);
  if (!found) {
    report.refused = "no worth keeps the floor by 1.645 standard errors";
    return report;
  }
  report.quality = found->sums.quality / found->sums.n;
  report.cost = found->sums.cost / found->sums.n;
  // Lambda 0 looks at quality alone: any worth that dwarfs the costs.
  const double lambda = tuning.lambda(found->way);
  report.worth = lambda > 0 ? 1 / lambda : 1000 * best.cost;
  try_on_folds(tuning, pool, seed, report);
  if (!(report.cost < report.best_cost)) {
    report.warnings.push_back("it costs no less than the best constant");
  }
  return report;
}

}  // namespace llmroute::learning
