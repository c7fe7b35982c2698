// Heads for the models of outcome files, fitted to some of the files' rows and
// asked about the others: what `bench --folds` and `--groups` measure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "learning/outcome_heads.h"
#include "learning/problem.h"
#include "learning/rows.h"

namespace llmroute::app {

// Rows as numbers: features and outcomes, without their text.
class FoldData {
 public:
  FoldData();
  // Returns the row's number, from 0.
  uint32_t add(const learning::Row& row);
  // Models in order of first occurrence.
  const std::vector<std::string>& models() const { return models_; }
  const learning::Problem& problem() const { return problem_; }

 private:
  learning::Problem problem_;
  std::vector<std::string> models_;
  std::unordered_map<std::string, uint32_t> index_;
};

class FoldModel {
 public:
  // Fits heads for `models` (names that `data` has) on the rows `train`; other
  // outcomes are left out. REQUIRES: both not empty; `data` outlives the object
  // and gets no more rows.
  static FoldModel fit(const FoldData& data, std::span<const uint32_t> train,
                       std::span<const std::string> models,
                       const learning::OutcomeHeadsOptions& options);

  // The same of models whose outcomes are not fitted to: what makes a prompt
  // hard from the outcomes of all other models, and of a model its mean score
  // only. Nothing if the data have no two others.
  static std::optional<FoldModel> fit_unseen(
      const FoldData& data, std::span<const uint32_t> train,
      std::span<const std::string> models,
      const learning::OutcomeHeadsOptions& options);

  // P(each model answers well), in the order of `models`: of a row of the data,
  // and of any text.
  std::vector<double> chances(uint32_t row) const;
  std::vector<double> chances(std::string_view prompt,
                              std::string_view context) const;

 private:
  FoldModel(const FoldData& data, learning::OutcomeHeads heads)
      : data_(&data), heads_(std::move(heads)) {}

  const FoldData* data_;
  learning::OutcomeHeads heads_;
};

}  // namespace llmroute::app
