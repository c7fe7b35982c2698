// Which rows of a study a fitted router may have learned from: those of the
// other folds, of the other groups, or of other files. What is measured has not
// been seen.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/bench_predictor.h"
#include "app/bench_rows.h"
#include "app/bench_table.h"
#include "app/fold_model.h"
#include "app/options.h"
#include "base/result.h"

namespace llmroute::app {

struct Split {
  std::vector<uint32_t> fold;  // per row of the study
  uint32_t folds = 1;
  std::string description;  // "fitted in 5 folds by prompt"
};

// By hash of the prompt, so that copies of it fall into one fold.
Split split_by_prompt(const BenchRows& rows, const StudyTable& table,
                      uint32_t folds);

// Whole groups, at most `folds` of about equal size. Errors: kData if there is
// one group only, or if a prompt is in two folds.
base::Result<Split> split_by_group(const BenchRows& rows,
                                   const StudyTable& table, uint32_t folds);

// kData if a prompt of the study is among those of the training files.
base::Status check_apart(const BenchRows& rows, const StudyTable& table,
                         const BenchRows& training);

// kData if the router model was trained on the rows' prompts. One row in a
// thousand may look so by chance (fingerprint, training_set.h).
base::Status check_not_trained_on(const BenchRows& rows,
                                  const analyzer::Analyzer& analyzer);

// Heads fitted to the other folds. Row i of BenchRows is row i of the data.
class FoldPredictor : public Predictor {
 public:
  // Borrows all but the split. `unseen`: FoldModel::fit_unseen where it can be.
  // With `training` not empty, these rows of the
  // data are fitted to instead of other folds.
  FoldPredictor(const FoldData& data, const StudyTable& table, Split split,
                const std::vector<uint32_t>& training, bool unseen,
                const learning::OutcomeHeadsOptions& options);
  std::vector<float> of_row(size_t row) const override;
  std::vector<float> of_text(size_t row, std::string_view prompt,
                             std::string_view context,
                             float& difficulty) const override;

 private:
  const StudyTable& table_;
  Split split_;
  std::vector<FoldModel> models_;  // per fold
};

}  // namespace llmroute::app
