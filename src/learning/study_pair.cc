#include "learning/study_pair.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace llmroute::learning {
namespace {

struct Scored {
  std::vector<PairRow> ours, length, oracle;
  std::vector<uint64_t> prompts;
};

Scored scored(const StudyRows& rows, const StudyTable& table,
              const StudyPair& pair, std::span<const size_t> chosen) {
  Scored all;
  for (const size_t i : chosen) {
    const auto strong =
        static_cast<double>(table.quality[table.at(i, pair.strong)]);
    const auto weak =
        static_cast<double>(table.quality[table.at(i, pair.weak)]);
    const auto bytes = static_cast<double>(rows.rows[table.rows[i]].bytes);
    all.ours.push_back({row_score(rows, table, pair, i), strong, weak});
    all.length.push_back({bytes, strong, weak});
    all.oracle.push_back({strong - weak, strong, weak});
    all.prompts.push_back(table.prompts[i]);
  }
  return all;
}

// At most about 100 points, with both ends.
std::vector<CurvePoint> thinned(const std::vector<CurvePoint>& curve) {
  constexpr size_t kMost = 100;
  const size_t step = curve.size() / kMost + 1;
  std::vector<CurvePoint> few;
  for (size_t i = 0; i + 1 < curve.size(); i += step) few.push_back(curve[i]);
  few.push_back(curve.back());
  return few;
}

PairScorer scorer(const char* name, const std::vector<PairRow>& rows) {
  PairScorer scorer;
  scorer.name = name;
  scorer.routellm = routellm_metrics(rows);
  scorer.fine = fine_metrics(rows);
  scorer.curve = thinned(fine_curve(rows));
  return scorer;
}

Band band(double value, std::vector<double> resampled) {
  const Interval interval = interval_95(std::move(resampled));
  return {value, interval.low, interval.high};
}

// The interval of one figure over all resamples of a scorer.
Band band(const PairScorer& scorer, const std::vector<FineMetrics>& resampled,
          double FineMetrics::*figure) {
  std::vector<double> values;
  for (const FineMetrics& m : resampled) values.push_back(m.*figure);
  return band(scorer.fine.*figure, std::move(values));
}

void add_intervals(const Scored& scored, PairReport& report,
                   const Resampling& resampling) {
  const PairRanking rankings[] = {PairRanking(scored.ours),
                                  PairRanking(scored.length),
                                  PairRanking(scored.oracle)};
  constexpr size_t kCount = std::size(rankings);
  std::vector<FineMetrics> metrics[kCount];
  for (auto& of_one : metrics) {
    of_one.resize(static_cast<size_t>(resampling.count));
  }
  for_each_resample(scored.prompts, resampling,
                    [&](size_t i, std::span<const float> weights) {
                      for (size_t s = 0; s < kCount; ++s) {
                        metrics[s][i] = rankings[s].metrics(weights);
                      }
                    });
  for (size_t s = 0; s < kCount; ++s) {
    PairScorer& scorer = report.scorers[s];
    scorer.apgr = band(scorer, metrics[s], &FineMetrics::apgr);
    scorer.cpt50 = band(scorer, metrics[s], &FineMetrics::cpt50);
    scorer.cpt80 = band(scorer, metrics[s], &FineMetrics::cpt80);
    scorer.saved[0] = band(scorer, metrics[s], &FineMetrics::saved95);
    scorer.saved[1] = band(scorer, metrics[s], &FineMetrics::saved99);
    scorer.saved[2] = band(scorer, metrics[s], &FineMetrics::saved100);
  }
  std::vector<double> more;
  for (size_t i = 0; i < metrics[0].size(); ++i) {
    more.push_back(metrics[0][i].apgr - metrics[1][i].apgr);
  }
  report.over_length =
      band(report.scorers[0].fine.apgr - report.scorers[1].fine.apgr,
           std::move(more));
}

HeadReport head_of(std::string model,
                   const std::vector<Prediction>& predictions) {
  HeadReport head;
  head.model = std::move(model);
  head.rows = predictions.size();
  if (predictions.empty()) return head;
  for (const Prediction& p : predictions) head.mean += p.outcome;
  head.mean /= static_cast<double>(predictions.size());
  head.brier.value = brier(predictions);
  head.ece.value = calibration_error(predictions);
  head.auc.value = auc(predictions);
  return head;
}

}  // namespace

std::optional<StudyPair> choose_study_pair(const StudyTable& table) {
  std::vector<std::pair<double, size_t>> means;
  for (size_t m = 0; m < table.models.size(); ++m) {
    double sum = 0, n = 0;
    for (size_t i = 0; i < table.size(); ++i) {
      const float quality = table.quality[table.at(i, m)];
      if (std::isnan(quality)) continue;
      sum += static_cast<double>(quality);
      n += 1;
    }
    if (n > 0) means.emplace_back(sum / n, m);
  }
  if (means.size() < 2) return std::nullopt;
  std::sort(means.begin(), means.end());
  StudyPair pair{means.back().second, means[(means.size() - 1) / 4].second};
  double gap = 0;
  const std::vector<size_t> both = pair_rows(table, pair);
  for (const size_t i : both) {
    gap += static_cast<double>(table.quality[table.at(i, pair.strong)] -
                               table.quality[table.at(i, pair.weak)]);
  }
  if (gap < 0) std::swap(pair.strong, pair.weak);
  if (both.empty() || std::fabs(gap) < 1e-6) return std::nullopt;
  return pair;
}

std::vector<size_t> pair_rows(const StudyTable& table, const StudyPair& pair) {
  std::vector<size_t> both;
  for (size_t i = 0; i < table.size(); ++i) {
    if (!std::isnan(table.quality[table.at(i, pair.strong)]) &&
        !std::isnan(table.quality[table.at(i, pair.weak)])) {
      both.push_back(i);
    }
  }
  return both;
}

double pair_score(float strong, float weak, float difficulty) {
  const bool known = !std::isnan(strong) && !std::isnan(weak);
  return static_cast<double>(known ? strong - weak : difficulty);
}

double row_score(const StudyRows& rows, const StudyTable& table,
                 const StudyPair& pair, size_t row) {
  return pair_score(table.chance[table.at(row, pair.strong)],
                    table.chance[table.at(row, pair.weak)],
                    rows.rows[table.rows[row]].difficulty);
}

PairReport measure_pair(const StudyRows& rows, const StudyTable& table,
                        const StudyPair& pair, const Resampling& resampling) {
  const std::vector<size_t> chosen = pair_rows(table, pair);
  const Scored all = scored(rows, table, pair, chosen);
  PairReport report;
  report.strong = table.models[pair.strong];
  report.weak = table.models[pair.weak];
  report.rows = chosen.size();
  const auto n = static_cast<double>(chosen.size());
  for (const PairRow& row : all.ours) {
    report.strong_mean += row.strong / n;
    report.weak_mean += row.weak / n;
  }
  report.known = !std::isnan(table.chance[table.at(chosen[0], pair.strong)]) &&
                 !std::isnan(table.chance[table.at(chosen[0], pair.weak)]);
  std::vector<PairRow> random = all.ours;
  for (PairRow& row : random) row.score = 0;
  report.scorers = {scorer("llmroute", all.ours),
                    scorer("length only", all.length),
                    scorer("oracle", all.oracle), scorer("random", random)};
  report.scorers[3].apgr = {0.5, 0.5, 0.5};  // in expectation
  add_intervals(all, report, resampling);
  return report;
}

std::vector<SliceReport> measure_slices(const StudyRows& rows,
                                        const StudyTable& table,
                                        const StudyPair& pair, SliceBy by,
                                        const Resampling& resampling) {
  std::map<std::string, std::vector<size_t>> groups;
  for (const size_t i : pair_rows(table, pair)) {
    const StudyRow& row = rows.rows[table.rows[i]];
    groups[by == SliceBy::kDataset ? rows.datasets.name(row.dataset)
                                   : rows.domains.name(row.named_domain)]
        .push_back(i);
  }
  std::vector<SliceReport> slices;
  for (const auto& [name, chosen] : groups) {
    const Scored all = scored(rows, table, pair, chosen);
    SliceReport slice;
    slice.name = name.empty() ? "none" : name;
    slice.rows = chosen.size();
    const auto n = static_cast<double>(chosen.size());
    for (const PairRow& row : all.ours) {
      slice.strong_mean += row.strong / n;
      slice.weak_mean += row.weak / n;
    }
    // Below that the share of the gap says nothing.
    if (slice.strong_mean - slice.weak_mean >= 0.01) {
      const Interval interval =
          bootstrap_apgr(all.ours, all.prompts, resampling);
      slice.apgr = {fine_metrics(all.ours).apgr, interval.low, interval.high};
      slice.length_apgr = fine_metrics(all.length).apgr;
    }
    slices.push_back(std::move(slice));
  }
  std::stable_sort(slices.begin(), slices.end(),
                   [](const SliceReport& a, const SliceReport& b) {
                     return a.rows > b.rows;
                   });
  return slices;
}

std::vector<HeadReport> measure_heads(const StudyTable& table, HeadReport& all,
                                      const Resampling& resampling) {
  std::vector<HeadReport> heads;
  std::vector<Prediction> pooled;
  std::vector<uint32_t> rows;
  for (size_t m = 0; m < table.models.size(); ++m) {
    std::vector<Prediction> predictions;
    for (size_t i = 0; i < table.size(); ++i) {
      const float chance = table.chance[table.at(i, m)];
      const float quality = table.quality[table.at(i, m)];
      if (std::isnan(chance) || std::isnan(quality)) continue;
      predictions.push_back(
          {static_cast<double>(chance), static_cast<double>(quality)});
      rows.push_back(static_cast<uint32_t>(i));
    }
    if (predictions.empty()) continue;
    pooled.insert(pooled.end(), predictions.begin(), predictions.end());
    heads.push_back(head_of(table.models[m], predictions));
  }
  all = head_of("all", pooled);
  if (pooled.empty()) return heads;
  const PredictionRanking ranking(pooled, rows);
  std::vector<double> brier(static_cast<size_t>(resampling.count)), ece = brier,
                                                                    auc = brier;
  for_each_resample(table.prompts, resampling,
                    [&](size_t i, std::span<const float> weights) {
                      const auto figures = ranking.figures(weights);
                      brier[i] = figures.brier;
                      ece[i] = figures.ece;
                      auc[i] = figures.auc;
                    });
  all.brier = band(all.brier.value, std::move(brier));
  all.ece = band(all.ece.value, std::move(ece));
  all.auc = band(all.auc.value, std::move(auc));
  return heads;
}

}  // namespace llmroute::learning
