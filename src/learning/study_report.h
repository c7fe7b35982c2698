// What was measured of the routing among a study's models.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "learning/hull.h"
#include "learning/metrics.h"
#include "learning/study_table.h"

namespace llmroute::learning {

inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// A figure with its 95 % interval; kUnknown where it cannot be measured.
struct Band {
  double value = kUnknown, low = kUnknown, high = kUnknown;
};

// One way to score the prompts of a pair.
struct PairScorer {
  std::string name;  // "llmroute", "length only", "oracle", "random"
  PairMetrics routellm;
  FineMetrics fine;
  Band apgr, cpt50, cpt80, saved[3];  // the fine ones
  std::vector<CurvePoint> curve;      // thinned, to be drawn
};

struct PairReport {
  std::string strong, weak;
  size_t rows = 0;
  double strong_mean = 0, weak_mean = 0;
  bool known = false;  // scored by P(strong) - P(weak), else by the difficulty
  std::vector<PairScorer> scorers;
  Band over_length;  // APGR of llmroute less that of the length, paired
};

// One way to route among the models of a pool.
struct PoolRouter {
  std::string name;  // "llmroute", "zero router", "length only", "oracle"
  std::vector<CostPoint> points, hull;
  Band aiq;
  double aiq_by_range = kUnknown;
  // Percent of the best constant's cost saved at 95, 99, 100 % of its quality.
  Band saved[3];
};
inline constexpr double kSavedAt[3] = {0.95, 0.99, 1};

struct NamedPoint {
  std::string name;
  CostPoint at;
};

struct PoolReport {
  size_t rows = 0;
  size_t known_models = 0;  // that the router can choose
  std::vector<std::string> unknown_models;
  std::vector<NamedPoint> constants;
  size_t best = 0;  // of constants
  CostPoint random, cheapest_sufficient, best_quality;
  std::vector<PoolRouter> routers;  // llmroute is first, if measured
  double largest_cost = 0;
  Band gain;       // quality over the best constant at its cost
  Band over_zero;  // AIQ of llmroute less that of the zero router
};

// How good the probabilities of one model are.
struct HeadReport {
  std::string model;
  size_t rows = 0;
  double mean = 0;       // score
  Band brier, ece, auc;  // intervals of all models together only
};

// A dataset or domain by itself, with the pair of the whole study.
struct SliceReport {
  std::string name;
  size_t rows = 0;
  double strong_mean = 0, weak_mean = 0;
  Band apgr;  // kUnknown where the models do not differ
  double length_apgr = kUnknown;
};

struct VariantReport {
  std::string name;
  double unchanged = 0;  // share of decisions
  double apgr = kUnknown;
};

struct RobustReport {
  size_t rows = 0;
  double apgr = kUnknown;  // of the prompts as they are
  double unchanged = 0;    // mean over the variants
  std::vector<VariantReport> variants;
  size_t paraphrases = 0;  // rows of the last variant, if it is that
};

// A worth of a good answer, tuned so that quality stays.
struct TargetReport {
  double share = 0;  // of the best constant's quality
  size_t rows = 0;
  std::string refused;                // why there is no worth; else empty
  std::vector<std::string> warnings;  // one line each
  double worth = kUnknown;            // dollars, for the config
  double quality = kUnknown, cost = kUnknown;
  double best_quality = kUnknown, best_cost = kUnknown;
  double floor_broken = kUnknown;  // share of held-out folds below the target
  size_t folds = 0;                // how many were tried
};

struct StudyReport {
  std::string name;
  std::vector<std::string> models;
  size_t rows = 0;
  CostSource costs = CostSource::kNone;
  std::string router;  // "analyzer and abilities", "fitted to 5 folds" ...
  std::optional<PairReport> pair;
  std::optional<PoolReport> pool;
  std::vector<HeadReport> heads;  // of models with probabilities
  HeadReport all_heads;           // pooled
  std::vector<SliceReport> datasets, domains;
  std::optional<RobustReport> robust;
  std::optional<TargetReport> target;
  std::string verdict;
};

}  // namespace llmroute::learning
