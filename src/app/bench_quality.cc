#include "app/bench_quality.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <thread>

#include "app/bench_predictor.h"
#include "app/bench_robust.h"
#include "app/bench_rows.h"
#include "learning/study_pair.h"
#include "learning/study_pool.h"
#include "learning/study_split.h"
#include "learning/study_table.h"
#include "learning/study_target.h"
#include "learning/study_verdict.h"

namespace llmroute::app {
namespace {

using learning::StudyPair;
using learning::StudyReport;
using learning::StudyTable;

// REQUIRES: ns is not empty.
TimeSpread spread_of(std::vector<float>& ns) {
  std::sort(ns.begin(), ns.end());
  return {static_cast<double>(ns[ns.size() / 2]),
          static_cast<double>(ns[ns.size() * 99 / 100])};
}

DecisionSpeed speed_of(DecisionTimes times) {
  DecisionSpeed speed;
  speed.prompts = times.all_ns.size();
  if (speed.prompts == 0) return speed;
  double sum = 0;
  for (const float one : times.all_ns) sum += static_cast<double>(one);
  speed.per_second = 1e9 * static_cast<double>(speed.prompts) / sum;
  speed.all = spread_of(times.all_ns);
  speed.analysis = spread_of(times.analysis_ns);
  return speed;
}

DomainReport domains_of(const std::vector<learning::Labelled>& labels) {
  DomainReport report;
  report.rows = labels.size();
  if (labels.empty()) return report;
  report.metrics = learning::class_metrics(labels, core::kDomainCount);
  report.confusion = learning::confusion(labels, core::kDomainCount);
  return report;
}

class Measurement {
 public:
  Measurement(const BenchOptions& options, const core::Config& config,
              const analyzer::Analyzer& analyzer, BenchStatus& status)
      : options_(options),
        config_(config),
        analyzer_(analyzer),
        status_(status) {
    choice_ = {options.quality.test_part, fitted()};
    resampling_.seed = options.seed;
    resampling_.threads = static_cast<int>(
        std::clamp(std::thread::hardware_concurrency(), 1U, 16U));
  }

  base::Result<BenchReport> run() {
    LLMROUTE_CHECK(read());
    if (!fitted()) LLMROUTE_CHECK(check_not_trained_on(rows_));
    LLMROUTE_TRY(std::vector<StudyTable> studies,
                 make_studies(rows_, options_.quality.models, config_));
    BenchReport report;
    report.router_model = analyzer_.id();
    report.router_sha256 = analyzer_.sha256();
    report.seed = options_.seed;
    for (StudyTable& table : studies) {
      LLMROUTE_TRY(StudyReport study, measure(table));
      report.studies.push_back(std::move(study));
    }
    report.domains = domains_of(rows_.labels);
    report.domains.trained_on = rows_.trained_labels.count;
    report.trained_on = rows_.trained_outcomes.count;
    report.speed = speed_of(std::move(times_));
    return report;
  }

 private:
  bool fitted() const {
    const QualityOptions& quality = options_.quality;
    return quality.folds > 0 || quality.groups || !quality.train.empty();
  }

  base::Status read() {
    LLMROUTE_TRY(const routing::Router router,
                 routing::Router::create(config_));
    ReadingOptions reading;
    reading.status = &status_;
    reading.times = &times_;
    reading.router = &router;
    reading.choice = choice_;
    if (fitted()) {
      reading.kept = [this](const learning::Row& row) { data_.add(row); };
    }
    for (const std::string& file : options_.files) {
      LLMROUTE_CHECK(read_rows(file, analyzer_, reading, rows_));
    }
    reading.choice = {.test_part = false, .trained = true};
    reading.times = nullptr;
    reading.kept = [this](const learning::Row& row) {
      training_.push_back(data_.add(row));
    };
    for (const std::string& file : options_.quality.train) {
      LLMROUTE_CHECK(read_rows(file, analyzer_, reading, training_rows_));
    }
    return {};
  }

  base::Result<std::unique_ptr<Predictor>> make_predictor(
      const StudyTable& table, std::string& description) {
    constexpr uint32_t kFolds = 5;
    const QualityOptions& quality = options_.quality;
    if (!fitted()) {
      description = "analyzer and abilities";
      return std::unique_ptr<Predictor>(
          std::make_unique<AbilityPredictor>(rows_, table, analyzer_, config_));
    }
    learning::StudySplit split;
    if (!quality.train.empty()) {
      LLMROUTE_CHECK(check_trained(table));
      split.fold.assign(table.size(), 0);
      split.description = "fitted to the files of --train";
    } else if (quality.groups) {
      LLMROUTE_TRY(split,
                   split_by_group(rows_, table,
                                  quality.folds > 0 ? quality.folds : kFolds));
    } else {
      LLMROUTE_TRY(split, split_by_prompt(table, quality.folds));
    }
    description = split.description;
    if (quality.unseen) {
      if (data_.models().size() < table.models.size() + 2) {
        return base::Error{base::ErrorKind::kData,
                           fmt::format("{}: --unseen needs outcomes of two "
                                       "models that --models leaves out",
                                       table.name)};
      }
      description += ", to other models";
    }
    learning::OutcomeHeadsOptions heads;
    heads.threads = resampling_.threads;
    return std::unique_ptr<Predictor>(std::make_unique<FoldPredictor>(
        data_, table, std::move(split), training_, quality.unseen, heads));
  }

  // That --train has outcomes of the study's models, and none of its prompts.
  base::Status check_trained(const StudyTable& table) const {
    LLMROUTE_CHECK(check_apart(rows_, table, training_rows_));
    for (const std::string& model : table.models) {
      if (training_rows_.models.has(model)) continue;
      return base::Error{
          base::ErrorKind::kData,
          fmt::format("--train: no outcomes of '{}', which {} has", model,
                      table.name)};
    }
    return {};
  }

  base::Result<StudyReport> measure(StudyTable& table) {
    StudyReport study;
    study.name = table.name;
    study.models = table.models;
    study.rows = table.size();
    study.costs = table.costs;
    status_.begin((fitted() ? "fitting to " : "asking about ") + table.name);
    LLMROUTE_TRY(const std::unique_ptr<Predictor> predictor,
                 make_predictor(table, study.router));
    status_.begin("measuring " + table.name);
    table.chance.clear();
    for (size_t i = 0; i < table.size(); ++i) {
      const std::vector<float> chances = predictor->of_row(i);
      table.chance.insert(table.chance.end(), chances.begin(), chances.end());
    }
    study.heads = measure_heads(table, study.all_heads, resampling_);
    if (const auto pair = choose_study_pair(table)) {
      LLMROUTE_CHECK(add_pair(table, *pair, *predictor, study));
    }
    add_pool(table, study);
    study.verdict = verdict_of(study);
    return study;
  }

  base::Status add_pair(const StudyTable& table, const StudyPair& pair,
                        const Predictor& predictor, StudyReport& study) {
    study.pair = measure_pair(rows_, table, pair, resampling_);
    study.datasets = measure_slices(rows_, table, pair,
                                    learning::SliceBy::kDataset, resampling_);
    study.domains = measure_slices(rows_, table, pair,
                                   learning::SliceBy::kDomain, resampling_);
    if (!options_.quality.robust) return {};
    LLMROUTE_TRY(
        study.robust,
        measure_robustness({rows_, table, pair, predictor, analyzer_, choice_,
                            options_.seed, resampling_.threads}));
    return {};
  }

  void add_pool(const StudyTable& table, StudyReport& study) const {
    const auto& target = options_.quality.target_quality;
    const auto pool = make_pool(rows_, table);
    if (!pool) {
      if (target) {
        study.target = learning::refuse_target(*target, pool.error().message);
      }
      return;
    }
    study.pool = measure_pool(table, *pool, resampling_);
    if (target) {
      study.target = tune_target(table, *pool, *target, options_.seed);
    }
  }

  const BenchOptions& options_;
  const core::Config& config_;
  const analyzer::Analyzer& analyzer_;
  BenchStatus& status_;
  RowChoice choice_;  // of the rows that are measured
  learning::Resampling resampling_;
  learning::StudyRows rows_, training_rows_;
  DecisionTimes times_;             // of rows_
  FoldData data_;                   // rows_, then training_rows_
  std::vector<uint32_t> training_;  // of data_
};

}  // namespace

base::Result<BenchReport> measure_quality(const BenchOptions& options,
                                          const core::Config& config,
                                          const analyzer::Analyzer& analyzer,
                                          BenchStatus& status) {
  return Measurement(options, config, analyzer, status).run();
}

}  // namespace llmroute::app
