// Intervals by resampling prompts, seeded, so that they can be repeated: the
// bootstrap (Efron 1979) in its percentile form.
//
// A resample is a weight per row: how often its prompt was drawn. Rows of one
// prompt are drawn together, since they say no more than one of them does.
// Statistics that are compared see the same resamples, so that their difference
// has an interval too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "learning/metrics.h"

namespace llmroute::learning {

struct Interval {
  double low = 0, high = 0;
};

// The middle 95 % of the values; NaN are left out. {0, 0} without any.
Interval interval_95(std::vector<double> values);

struct Resampling {
  uint64_t seed = 1;
  int count = 1000;
  int threads = 1;  // results do not depend on it
};

// The prompt of each row, equal numbers for one prompt (identities_of()).
using RowPrompts = std::span<const uint64_t>;

// Calls `visit` once per resample, from several threads at once.
using VisitResample =
    std::function<void(size_t resample, std::span<const float> weights)>;
void for_each_resample(RowPrompts prompts, const Resampling& resampling,
                       const VisitResample& visit);

// Values of `columns` things per row -> their means in every resample, column
// after column within a resample.
std::vector<double> resampled_means(std::span<const float> values,
                                    size_t columns, RowPrompts prompts,
                                    const Resampling& resampling);

// The order of a pair's prompts by score, for fine metrics under changing
// weights.
class PairRanking {
 public:
  explicit PairRanking(std::span<const PairRow> rows);
  // NaN if the models do not differ under these weights.
  double apgr(std::span<const float> weights) const;
  // apgr, cpt50, cpt80 and saved95 to saved100 of FineMetrics. NaN if the
  // strong model is not the better one under these weights.
  FineMetrics metrics(std::span<const float> weights) const;

 private:
  // Where the curve first rises to each of `targets`, which ascend: quality
  // gained over the weak model's, times the weight of all rows.
  void first_reach(std::span<const float> weights, double all,
                   std::span<const double> targets,
                   std::span<double> percent) const;

  struct Place {
    uint32_t row;
    bool ends_tie;
    float strong, weak;
  };
  std::vector<Place> order_;
};

// Predictions by probability, for how good they are under changing weights of
// the rows they belong to; several may be of one row.
class PredictionRanking {
 public:
  struct Figures {
    double brier = 0, ece = 0, auc = 0.5;
  };
  // REQUIRES: as many rows as predictions.
  PredictionRanking(std::span<const Prediction> predictions,
                    std::span<const uint32_t> rows);
  Figures figures(std::span<const float> weights) const;

 private:
  struct Place {
    uint32_t row;
    bool ends_tie;
    float probability, outcome;
  };
  std::vector<Place> order_;
};

// 95 % interval of the fine APGR.
Interval bootstrap_apgr(std::span<const PairRow> rows, RowPrompts prompts,
                        const Resampling& resampling = {});

}  // namespace llmroute::learning
