// Where `bench` has P(a model answers well) from: the router that is measured.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/analyzer.h"
#include "app/bench_rows.h"
#include "app/bench_table.h"
#include "core/config.h"

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
  AbilityPredictor(const BenchRows& rows, const StudyTable& table,
                   const analyzer::Analyzer& analyzer,
                   const core::Config& config);
  std::vector<float> of_row(size_t row) const override;
  std::vector<float> of_text(size_t row, std::string_view prompt,
                             std::string_view context,
                             float& difficulty) const override;

 private:
  std::vector<float> chances(const core::Analysis& analysis) const;

  const BenchRows& rows_;
  const StudyTable& table_;
  const analyzer::Analyzer& analyzer_;
  std::vector<std::optional<core::PerDomain>> abilities_;  // per model
};

// A larger number asks for the strong model: the difference of its chance to
// the weak one's, or the difficulty where one of the two is not known.
double pair_score(float strong, float weak, float difficulty);

}  // namespace llmroute::app
