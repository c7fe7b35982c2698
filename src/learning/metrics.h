// How good a router's scores are. Definitions as in the literature named, so
// that figures compare.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace llmroute::learning {

// A prompt for a pair of models: a larger score asks for the strong one.
struct PairRow {
  double score = 0;
  double strong = 0, weak = 0;  // quality of each model's answer
};

struct CurvePoint {
  double strong_share = 0;  // 0..1 of calls to the strong model
  double quality = 0;       // mean
};

struct PairMetrics {
  double apgr = 0;                         // average performance gap recovered
  double cpt20 = 0, cpt50 = 0, cpt80 = 0;  // percent of calls to strong
  // The recovered share summed over the 11 thresholds, over 10: what the
  // paper's code prints, a little above the area.
  double apgr_paper_sum = 0;
};

// RouteLLM's definition (Ong et al. 2024, arXiv 2406.18665): thresholds are the
// 11 quantiles of the scores; a prompt goes to strong if its score is at least
// the threshold, above it at the last. REQUIRES: rows, and their mean quality
// differs between the models.
std::vector<CurvePoint> routellm_curve(std::span<const PairRow> rows);
PairMetrics routellm_metrics(std::span<const PairRow> rows);

// Every prompt its own threshold; prompts of equal scores make a straight line.
std::vector<CurvePoint> fine_curve(std::span<const PairRow> rows);
struct FineMetrics {
  double apgr = 0, cpt50 = 0, cpt80 = 0;
  // Percent of calls to strong that are saved at 95, 99 and 100 % of its
  // quality.
  double saved95 = 0, saved99 = 0, saved100 = 0;
  // The same by mixing at random, which needs no router.
  double random95 = 0, random99 = 0, random100 = 0;
  double peak = 0;  // best quality of the curve, percent of the strong model's
};
FineMetrics fine_metrics(std::span<const PairRow> rows);

struct Prediction {
  double probability = 0;
  double outcome = 0;  // 0..1
};

double brier(std::span<const Prediction> predictions);
double log_loss(std::span<const Prediction> predictions);
// Expected calibration error over 10 bins of equal width.
double calibration_error(std::span<const Prediction> predictions);

// Area under the ROC curve: the chance that a better answer was given the
// larger probability, ties half; an outcome of 0.5 or more counts as good. 0.5
// if all are good or none is.
double auc(std::span<const Prediction> predictions);

struct Labelled {
  size_t truth = 0, guess = 0;
};
struct ClassMetrics {
  double accuracy = 0;
  double macro_f1 = 0;  // over classes that occur in the truth
};
ClassMetrics class_metrics(std::span<const Labelled> labels, size_t classes);
// Rows of a truth, columns of a guess.
std::vector<std::vector<size_t>> confusion(std::span<const Labelled> labels,
                                           size_t classes);

}  // namespace llmroute::learning
