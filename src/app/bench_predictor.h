// Where `bench` has P(a model answers well) from: the router that is measured.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/analyzer.h"
#include "app/fold_model.h"
#include "core/config.h"
#include "learning/study_split.h"
#include "learning/study_table.h"

namespace llmroute::app {

// Thread-safe.
class Predictor {
 public:
  Predictor() = default;
  Predictor(const Predictor&) = delete;
  Predictor& operator=(const Predictor&) = delete;
  virtual ~Predictor() = default;
  // A value for each model of the study, kMissing for one not known. `row` is a
  // row of the study's table.
  virtual std::vector<float> of_row(size_t row) const = 0;
  // The same for another text in the place of the row's; `difficulty`: of it,
  // where the analyzer says it, for pairs of models that are not known.
  virtual std::vector<float> of_text(size_t row, std::string_view prompt,
                                     std::string_view context,
                                     float& difficulty) const = 0;
};

// The analyzer, and the abilities of the config's models; of a model that is
// not configured, the router model's own head if it has one.
class AbilityPredictor : public Predictor {
 public:
  // Borrows all but the config.
  AbilityPredictor(const learning::StudyRows& rows,
                   const learning::StudyTable& table,
                   const analyzer::Analyzer& analyzer,
                   const core::Config& config);
  std::vector<float> of_row(size_t row) const override;
  std::vector<float> of_text(size_t row, std::string_view prompt,
                             std::string_view context,
                             float& difficulty) const override;

 private:
  std::vector<float> chances(const core::Analysis& analysis) const;

  const learning::StudyRows& rows_;
  const learning::StudyTable& table_;
  const analyzer::Analyzer& analyzer_;
  std::vector<std::optional<core::PerDomain>> abilities_;  // per model
};

// Heads fitted to the other folds. Row i of StudyRows is row i of the
// data.
class FoldPredictor : public Predictor {
 public:
  // Borrows all but the split. `unseen`: FoldModel::fit_unseen where it can be.
  // With `training` not empty, these rows of the data are fitted to instead of
  // other folds.
  FoldPredictor(const FoldData& data, const learning::StudyTable& table,
                learning::StudySplit split,
                const std::vector<uint32_t>& training, bool unseen,
                const learning::OutcomeHeadsOptions& options);
  std::vector<float> of_row(size_t row) const override;
  std::vector<float> of_text(size_t row, std::string_view prompt,
                             std::string_view context,
                             float& difficulty) const override;

 private:
  const learning::StudyTable& table_;
  learning::StudySplit split_;
  std::vector<FoldModel> models_;  // per fold
};

}  // namespace llmroute::app
