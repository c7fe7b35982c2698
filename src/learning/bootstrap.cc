#include "learning/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>

#include "base/threads.h"
#include "learning/random.h"

namespace llmroute::learning {
namespace {

// Draws as many prompts as there are, with replacement.
class Urn {
 public:
  explicit Urn(RowPrompts prompts) {
    std::unordered_map<uint64_t, uint32_t> numbers;
    for (const uint64_t prompt : prompts) {
      const auto number = static_cast<uint32_t>(numbers.size());
      prompt_of_row_.push_back(
          numbers.try_emplace(prompt, number).first->second);
    }
    count_ = numbers.size();
  }

  size_t rows() const { return prompt_of_row_.size(); }
  void draw(uint64_t seed, std::vector<float>& weights) const {
    Random random(mix64(seed));
    std::vector<float> drawn(count_);
    for (size_t i = 0; i < count_; ++i) drawn[random.below(count_)] += 1;
    weights.resize(rows());
    for (size_t i = 0; i < rows(); ++i) weights[i] = drawn[prompt_of_row_[i]];
  }

 private:
  std::vector<uint32_t> prompt_of_row_;
  size_t count_ = 0;
};

uint64_t seed_of(const Resampling& resampling, size_t resample) {
  return mix64(resampling.seed) + resample;
}

constexpr size_t kBatch = 4;    // resamples that share a pass over the values
constexpr size_t kChunk = 256;  // rows summed as float before double

// sums[b][column] += weights of resample b times values, over a chunk of rows.
void add_chunk(std::span<const float> values, size_t columns,
               const std::vector<float>* weights, size_t first,
               std::vector<double>* sums) {
  const size_t rows = std::min(kChunk, weights[0].size() - first);
  std::vector<float> partial(columns);
  for (size_t b = 0; b < kBatch; ++b) {
    std::fill(partial.begin(), partial.end(), 0.0F);
    for (size_t i = first; i < first + rows; ++i) {
      const float weight = weights[b][i];
      if (weight == 0) continue;
      const float* row = values.data() + i * columns;
      float* sum = partial.data();
      for (size_t c = 0; c < columns; ++c) sum[c] += weight * row[c];
    }
    for (size_t c = 0; c < columns; ++c) {
      sums[b][c] += static_cast<double>(partial[c]);
    }
  }
}

}  // namespace

Interval interval_95(std::vector<double> values) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto at = [&](double q) {
    return values[static_cast<size_t>(
        std::lround(q * static_cast<double>(values.size() - 1)))];
  };
  return {at(0.025), at(0.975)};
}

void for_each_resample(RowPrompts prompts, const Resampling& resampling,
                       const VisitResample& visit) {
  const auto count = static_cast<size_t>(resampling.count);
  const auto threads = static_cast<size_t>(std::max(resampling.threads, 1));
  const Urn urn(prompts);
  base::on_threads(threads, [&](size_t thread) {
    std::vector<float> weights;
    for (size_t i = thread; i < count; i += threads) {
      urn.draw(seed_of(resampling, i), weights);
      visit(i, weights);
    }
  });
}

std::vector<double> resampled_means(std::span<const float> values,
                                    size_t columns, RowPrompts prompts,
                                    const Resampling& resampling) {
  const Urn urn(prompts);
  const auto count = static_cast<size_t>(resampling.count);
  const auto threads = static_cast<size_t>(std::max(resampling.threads, 1));
  std::vector<double> means(count * columns);
  base::on_threads(threads, [&](size_t thread) {
    std::vector<float> weights[kBatch];
    std::vector<double> sums[kBatch];
    for (size_t first = thread * kBatch; first < count;
         first += threads * kBatch) {
      for (size_t b = 0; b < kBatch; ++b) {
        urn.draw(seed_of(resampling, first + b), weights[b]);
        sums[b].assign(columns, 0);
      }
      for (size_t row = 0; row < urn.rows(); row += kChunk) {
        add_chunk(values, columns, weights, row, sums);
      }
      for (size_t b = 0; b < std::min(kBatch, count - first); ++b) {
        const double all =
            std::accumulate(weights[b].begin(), weights[b].end(), 0.0);
        for (size_t c = 0; c < columns; ++c) {
          means[(first + b) * columns + c] = sums[b][c] / all;
        }
      }
    }
  });
  return means;
}

PairRanking::PairRanking(std::span<const PairRow> rows) {
  std::vector<uint32_t> order(rows.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return rows[a].score > rows[b].score;
  });
  for (size_t i = 0; i < order.size(); ++i) {
    const PairRow& row = rows[order[i]];
    const bool tie =
        i + 1 < order.size() && rows[order[i + 1]].score == row.score;
    order_.push_back({order[i], !tie, static_cast<float>(row.strong),
                      static_cast<float>(row.weak)});
  }
}

double PairRanking::apgr(std::span<const float> weights) const {
  // Quality above the weak model's, times the number of rows.
  double gained = 0, before = 0, calls = 0, tied = 0, area = 0;
  for (const Place& place : order_) {
    const auto weight = static_cast<double>(weights[place.row]);
    tied += weight;
    gained += weight * static_cast<double>(place.strong - place.weak);
    if (!place.ends_tie) continue;
    area += tied * (before + gained) / 2;
    calls += tied;
    before = gained;
    tied = 0;
  }
  if (std::fabs(gained) < 1e-9) return std::numeric_limits<double>::quiet_NaN();
  return area / (calls * gained);
}

void PairRanking::first_reach(std::span<const float> weights, double all,
                              std::span<const double> targets,
                              std::span<double> percent) const {
  constexpr double kSlack = 1e-9;
  double gained = 0, calls = 0, before = 0, calls_before = 0;
  size_t next = 0;
  while (next < targets.size() && targets[next] <= kSlack) percent[next++] = 0;
  for (const Place& place : order_) {
    const auto weight = static_cast<double>(weights[place.row]);
    calls += weight;
    gained += weight * static_cast<double>(place.strong - place.weak);
    if (!place.ends_tie) continue;
    for (; next < targets.size() && gained >= targets[next] - kSlack; ++next) {
      const double rise = gained - before;
      const double share = rise > 0 ? (targets[next] - before) / rise : 0;
      percent[next] =
          100 / all *
          (calls_before + std::clamp(share, 0.0, 1.0) * (calls - calls_before));
    }
    if (next == targets.size()) return;
    before = gained;
    calls_before = calls;
  }
  for (; next < targets.size(); ++next) percent[next] = 100;
}

FineMetrics PairRanking::metrics(std::span<const float> weights) const {
  double all = 0, strong = 0, weak = 0;
  for (const Place& place : order_) {
    const auto weight = static_cast<double>(weights[place.row]);
    all += weight;
    strong += weight * static_cast<double>(place.strong);
    weak += weight * static_cast<double>(place.weak);
  }
  const double gap = strong - weak;
  FineMetrics m;
  if (gap < 1e-9) {
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    m.apgr = m.cpt50 = m.cpt80 = m.saved95 = m.saved99 = m.saved100 = kNone;
    return m;
  }
  m.apgr = apgr(weights);
  double shares[2], kept[3];
  const double wins[] = {0.5 * gap, 0.8 * gap};
  first_reach(weights, all, wins, shares);
  const double floors[] = {0.95 * strong - weak, 0.99 * strong - weak, gap};
  first_reach(weights, all, floors, kept);
  m.cpt50 = shares[0];
  m.cpt80 = shares[1];
  m.saved95 = 100 - kept[0];
  m.saved99 = 100 - kept[1];
  m.saved100 = 100 - kept[2];
  return m;
}

PredictionRanking::PredictionRanking(std::span<const Prediction> predictions,
                                     std::span<const uint32_t> rows) {
  std::vector<uint32_t> order(predictions.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return predictions[a].probability < predictions[b].probability;
  });
  for (size_t i = 0; i < order.size(); ++i) {
    const Prediction& p = predictions[order[i]];
    const bool tie = i + 1 < order.size() &&
                     predictions[order[i + 1]].probability == p.probability;
    order_.push_back({rows[order[i]], !tie, static_cast<float>(p.probability),
                      static_cast<float>(p.outcome)});
  }
}

PredictionRanking::Figures PredictionRanking::figures(
    std::span<const float> weights) const {
  Figures figures;
  double bins[10] = {};  // probability less outcome
  double all = 0, good = 0, bad = 0, won = 0, tied_good = 0, tied_bad = 0;
  for (const Place& place : order_) {
    const auto weight = static_cast<double>(weights[place.row]);
    const auto error = static_cast<double>(place.probability - place.outcome);
    all += weight;
    figures.brier += weight * error * error;
    bins[std::min(static_cast<int>(place.probability * 10), 9)] +=
        weight * error;
    (place.outcome >= 0.5F ? tied_good : tied_bad) += weight;
    if (!place.ends_tie) continue;
    won += tied_good * (bad + tied_bad / 2);
    good += tied_good;
    bad += tied_bad;
    tied_good = tied_bad = 0;
  }
  for (const double bin : bins) figures.ece += std::fabs(bin) / all;
  figures.brier /= all;
  if (good * bad > 0) figures.auc = won / (good * bad);
  return figures;
}

Interval bootstrap_apgr(std::span<const PairRow> rows, RowPrompts prompts,
                        const Resampling& resampling) {
  const PairRanking ranking(rows);
  std::vector<double> values(static_cast<size_t>(resampling.count));
  for_each_resample(prompts, resampling,
                    [&](size_t i, std::span<const float> weights) {
                      values[i] = ranking.apgr(weights);
                    });
  return interval_95(std::move(values));
}

}  // namespace llmroute::learning
