#include "learning/metrics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace llmroute::learning {
namespace {

struct Means {
  double strong = 0, weak = 0;
};

Means means_of(std::span<const PairRow> rows) {
  Means means;
  for (const PairRow& row : rows) {
    means.strong += row.strong;
    means.weak += row.weak;
  }
  means.strong /= static_cast<double>(rows.size());
  means.weak /= static_cast<double>(rows.size());
  return means;
}

// Linear interpolation between order statistics, as numpy's default.
double quantile(const std::vector<double>& sorted, double q) {
  const double place = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  const double share = place - static_cast<double>(below);
  return sorted[below] + share * (sorted[above] - sorted[below]);
}

CurvePoint point_at(std::span<const PairRow> rows, double threshold,
                    bool strictly) {
  CurvePoint point;
  for (const PairRow& row : rows) {
    const bool strong =
        strictly ? row.score > threshold : row.score >= threshold;
    point.strong_share += strong ? 1 : 0;
    point.quality += strong ? row.strong : row.weak;
  }
  point.strong_share /= static_cast<double>(rows.size());
  point.quality /= static_cast<double>(rows.size());
  return point;
}

double area(std::span<const CurvePoint> curve) {
  double sum = 0;
  for (size_t i = 1; i < curve.size(); ++i) {
    sum += (curve[i].strong_share - curve[i - 1].strong_share) *
           (curve[i].quality + curve[i - 1].quality) / 2;
  }
  return sum;
}

double recovered(std::span<const CurvePoint> curve, const Means& means) {
  const double span = curve.back().strong_share - curve.front().strong_share;
  return (area(curve) - means.weak * span) /
         ((means.strong - means.weak) * span);
}

// Percent of calls to strong where the curve first reaches `quality`.
double first_reach(std::span<const CurvePoint> curve, double quality) {
  constexpr double kSlack = 1e-12;
  if (curve.front().quality >= quality - kSlack) {
    return 100 * curve.front().strong_share;
  }
  for (size_t i = 1; i < curve.size(); ++i) {
    const CurvePoint& from = curve[i - 1];
    const CurvePoint& to = curve[i];
    if (to.quality < quality - kSlack) continue;
    const double share = (quality - from.quality) / (to.quality - from.quality);
    return 100 *
           (from.strong_share + share * (to.strong_share - from.strong_share));
  }
  return 100;
}

}  // namespace

std::vector<CurvePoint> routellm_curve(std::span<const PairRow> rows) {
  std::vector<double> scores;
  for (const PairRow& row : rows) scores.push_back(row.score);
  std::sort(scores.begin(), scores.end());
  std::vector<CurvePoint> curve;
  for (int i = 10; i >= 0; --i) {
    curve.push_back(point_at(rows, quantile(scores, i / 10.0), i == 10));
  }
  return curve;
}

PairMetrics routellm_metrics(std::span<const PairRow> rows) {
  const std::vector<CurvePoint> curve = routellm_curve(rows);
  const Means means = means_of(rows);
  const auto cpt = [&](double share) {
    return first_reach(curve, means.weak + share * (means.strong - means.weak));
  };
  double sum = 0;
  for (const CurvePoint& point : curve) sum += point.quality - means.weak;
  return {recovered(curve, means), cpt(0.2), cpt(0.5), cpt(0.8),
          sum / (means.strong - means.weak) / 10};
}

std::vector<CurvePoint> fine_curve(std::span<const PairRow> rows) {
  std::vector<PairRow> sorted(rows.begin(), rows.end());
  std::stable_sort(
      sorted.begin(), sorted.end(),
      [](const PairRow& a, const PairRow& b) { return a.score > b.score; });
  const double n = static_cast<double>(rows.size());
  double quality = means_of(rows).weak * n;
  std::vector<CurvePoint> curve = {{0, quality / n}};
  for (size_t i = 0; i < sorted.size(); ++i) {
    quality += sorted[i].strong - sorted[i].weak;
    const bool tie =
        i + 1 < sorted.size() && sorted[i + 1].score == sorted[i].score;
    if (!tie) curve.push_back({static_cast<double>(i + 1) / n, quality / n});
  }
  return curve;
}

FineMetrics fine_metrics(std::span<const PairRow> rows) {
  const std::vector<CurvePoint> curve = fine_curve(rows);
  const Means means = means_of(rows);
  const double gap = means.strong - means.weak;
  const auto saved = [&](double share) {
    return 100 - first_reach(curve, share * means.strong);
  };
  const auto random = [&](double share) {
    const double calls = (share * means.strong - means.weak) / gap;
    return 100 * (1 - std::clamp(calls, 0.0, 1.0));
  };
  double peak = 0;
  for (const CurvePoint& p : curve) peak = std::max(peak, p.quality);
  return {recovered(curve, means),
          first_reach(curve, means.weak + 0.5 * gap),
          first_reach(curve, means.weak + 0.8 * gap),
          saved(0.95),
          saved(0.99),
          saved(1),
          random(0.95),
          random(0.99),
          random(1),
          100 * peak / means.strong};
}

double brier(std::span<const Prediction> predictions) {
  double sum = 0;
  for (const Prediction& p : predictions) {
    sum += (p.probability - p.outcome) * (p.probability - p.outcome);
  }
  return sum / static_cast<double>(predictions.size());
}

double log_loss(std::span<const Prediction> predictions) {
  double sum = 0;
  for (const Prediction& p : predictions) {
    const double q = std::clamp(p.probability, 1e-9, 1 - 1e-9);
    sum -= p.outcome * std::log(q) + (1 - p.outcome) * std::log(1 - q);
  }
  return sum / static_cast<double>(predictions.size());
}

double calibration_error(std::span<const Prediction> predictions) {
  struct Bin {
    double probability = 0, outcome = 0;
  };
  std::vector<Bin> bins(10);
  for (const Prediction& p : predictions) {
    const auto place = static_cast<size_t>(p.probability * 10);
    Bin& bin = bins[std::min<size_t>(place, 9)];
    bin.probability += p.probability;
    bin.outcome += p.outcome;
  }
  double sum = 0;
  for (const Bin& bin : bins) sum += std::fabs(bin.probability - bin.outcome);
  return sum / static_cast<double>(predictions.size());
}

double auc(std::span<const Prediction> predictions) {
  std::vector<Prediction> sorted(predictions.begin(), predictions.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const Prediction& a, const Prediction& b) {
              return a.probability < b.probability;
            });
  double all_bad = 0, all_good = 0, won = 0;
  for (size_t i = 0; i < sorted.size();) {
    double good = 0, bad = 0;
    const double probability = sorted[i].probability;
    for (; i < sorted.size() && sorted[i].probability == probability; ++i) {
      (sorted[i].outcome >= 0.5 ? good : bad) += 1;
    }
    won += good * (all_bad + bad / 2);
    all_good += good;
    all_bad += bad;
  }
  return all_good * all_bad == 0 ? 0.5 : won / (all_good * all_bad);
}

std::vector<std::vector<size_t>> confusion(std::span<const Labelled> labels,
                                           size_t classes) {
  std::vector<std::vector<size_t>> counts(classes,
                                          std::vector<size_t>(classes));
  for (const Labelled& label : labels) ++counts[label.truth][label.guess];
  return counts;
}

ClassMetrics class_metrics(std::span<const Labelled> labels, size_t classes) {
  std::vector<double> right(classes), truth(classes), guess(classes);
  double all_right = 0;
  for (const Labelled& label : labels) {
    truth[label.truth] += 1;
    guess[label.guess] += 1;
    if (label.truth != label.guess) continue;
    right[label.truth] += 1;
    all_right += 1;
  }
  double f1 = 0, present = 0;
  for (size_t c = 0; c < classes; ++c) {
    if (truth[c] == 0) continue;
    present += 1;
    f1 += 2 * right[c] / (truth[c] + guess[c]);
  }
  return {all_right / static_cast<double>(labels.size()), f1 / present};
}

}  // namespace llmroute::learning
