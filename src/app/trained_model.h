// What the solver found, as a model that runs: weights rounded to int8.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "analyzer/model.h"
#include "analyzer/model_file.h"
#include "app/training_set.h"
#include "core/analysis.h"
#include "learning/solver.h"

namespace llmroute::app {

class TrainedModel {
 public:
  // Takes `solution` for `set`; `shrink` as in the solver's options.
  TrainedModel(const learning::Solution& solution, const TrainingSet& set,
               float shrink);

  analyzer::Model& model() { return model_; }
  const analyzer::Model& model() const { return model_; }
  void set_own_heads(std::vector<analyzer::OwnHead> heads);
  // What Analyzer::analyze will say, without language and sizes.
  core::Analysis analyze(std::string_view prompt,
                         std::string_view context) const;
  std::string bytes(const analyzer::Training& training) const;

 private:
  void round_rows(const std::vector<learning::HeadWeights>& rows);

  std::vector<analyzer::GramRow> rows_;
  std::vector<uint8_t> seen_;
  std::vector<uint32_t> trained_;
  std::vector<analyzer::OwnHead> own_;
  analyzer::Model model_;  // views the four above
};

// Whether the router model has one of the model's own outcomes, which was
// fitted to ability 0 where none is known: own_heads.h.
bool has_head(const core::Analysis& analysis, std::string_view name);

// P(the model of this name and ability answers well).
double chance_good(const core::Analysis& analysis, std::string_view name,
                   const core::PerDomain& ability);

}  // namespace llmroute::app
