// What a trained model is worth on rows it was not trained on, beside the best
// constant and the length of the prompt; for a terminal, for programs, and as a
// model card.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyzer/analyzer.h"
#include "app/trained_model.h"
#include "app/training_set.h"
#include "learning/abilities.h"
#include "learning/bootstrap.h"
#include "learning/metrics.h"
#include "learning/solver.h"

namespace llmroute::app {

struct ProbabilityReport {
  double brier = 0, log_loss = 0, calibration_error = 0;
};

// Two models of one source of outcomes.
struct SourcePair {
  std::string source, strong, weak;
  size_t rows = 0;
  double strong_mean = 0, weak_mean = 0;
  learning::FineMetrics model, length;
};

// P(good) on the held-out rows of one source.
struct SourceReport {
  std::string source;
  size_t outcomes = 0;
  ProbabilityReport model;
};

struct TrainingReport {
  size_t copies = 0;  // of training rows, changed
  size_t train_rows = 0, calibrate_rows = 0, test_rows = 0;
  size_t trained_before = 0;  // of the rows, by the model of --init
  size_t domain_rows = 0;
  learning::ClassMetrics domain;
  double commonest_domain = 0;                 // accuracy of always saying it
  std::vector<double> domain_recall;           // per domain; -1 without rows
  std::vector<std::vector<size_t>> confusion;  // [truth][guess]
  size_t outcomes = 0;
  ProbabilityReport model, constant, length;
  std::vector<SourceReport> sources;
  // Brier score of the best constant per model minus this model's: 95 %
  // interval over prompts.
  learning::Interval gain;
  // The same held-out rows by the model that is in use now, with the abilities
  // that are; outcomes of models that it can say nothing of do not count.
  double installed_accuracy = 0;
  size_t installed_outcomes = 0;
  double installed_brier = 0, brier_beside_installed = 0;
  std::vector<SourcePair> pairs;
  double mean_apgr = 0, mean_length_apgr = 0;  // over pairs
  size_t length_rows = 0;
  double length_factor = 0;           // median of max(guess/truth, truth/guess)
  double constant_length_factor = 0;  // the same of one number for all
  double slope = 0;
  size_t models = 0, known_models = 0;

  // Where it is no better than the best constant, beyond chance for the
  // probabilities; empty if it is on everything there is to compare. Held-out
  // rows of one domain alone compare nothing.
  std::string shortcoming() const;
  bool beats_constant() const { return shortcoming().empty(); }
};

// The model in use now, and the configuration's abilities.
struct Installed {
  const analyzer::Analyzer& analyzer;
  learning::Abilities abilities;
};

// REQUIRES: `set.test` has rows. `model`'s slope is final.
TrainingReport measure(const TrainedModel& model,
                       const learning::Solution& solution,
                       const TrainingSet& set, const Installed& installed);

// The best slope of P(good) on the calibration part.
double calibrated_slope(const TrainedModel& model,
                        const learning::Solution& solution,
                        const TrainingSet& set);

std::string report_text(const TrainingReport& report);
std::string report_json(const TrainingReport& report, bool written,
                        const std::string& sha256);

struct CardFacts {
  std::string file;     // of the model, without folders
  std::string sha256;   // stored in it
  std::string command;  // that made it, with placeholders
  std::string start;    // the model of --init; empty: none
  uint64_t seed = 0;
  size_t bytes = 0;  // of the file
};
std::string model_card(const TrainingReport& report, const TrainingSet& set,
                       const CardFacts& facts);

}  // namespace llmroute::app
