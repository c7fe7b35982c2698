#include "app/bench_predictor.h"

#include <span>
#include <utility>

#include "app/trained_model.h"
#include "learning/abilities.h"

namespace llmroute::app {
namespace {

std::vector<float> floats(const std::vector<double>& values) {
  std::vector<float> all;
  for (const double value : values) all.push_back(static_cast<float>(value));
  return all;
}

}  // namespace

AbilityPredictor::AbilityPredictor(const learning::StudyRows& rows,
                                   const learning::StudyTable& table,
                                   const analyzer::Analyzer& analyzer,
                                   const core::Config& config)
    : rows_(rows), table_(table), analyzer_(analyzer) {
  const auto known = learning::models_by_name(config);
  for (const std::string& model : table.models) {
    const auto place = known.find(learning::normalised_model_name(model));
    abilities_.push_back(place == known.end()
                             ? std::nullopt
                             : std::optional(place->second->ability));
  }
}

std::vector<float> AbilityPredictor::chances(
    const core::Analysis& analysis) const {
  std::vector<float> all;
  for (size_t m = 0; m < abilities_.size(); ++m) {
    const std::string& name = table_.models[m];
    std::optional<core::PerDomain> ability = abilities_[m];
    if (!ability && has_head(analysis, name)) ability.emplace();
    all.push_back(
        ability ? static_cast<float>(chance_good(analysis, name, *ability))
                : learning::kMissing);
  }
  return all;
}

std::vector<float> AbilityPredictor::of_row(size_t row) const {
  return chances(learning::analysis_of(rows_.rows[table_.rows[row]]));
}

std::vector<float> AbilityPredictor::of_text(size_t, std::string_view prompt,
                                             std::string_view context,
                                             float& difficulty) const {
  const core::Analysis analysis = analyzer_.analyze({prompt, context});
  difficulty = static_cast<float>(analysis.difficulty);
  return chances(analysis);
}

FoldPredictor::FoldPredictor(const FoldData& data,
                             const learning::StudyTable& table,
                             learning::StudySplit split,
                             const std::vector<uint32_t>& training, bool unseen,
                             const learning::OutcomeHeadsOptions& options)
    : table_(table), split_(std::move(split)) {
  const auto fit = [&](std::span<const uint32_t> rows) {
    std::optional<FoldModel> model;
    if (unseen) {
      model = FoldModel::fit_unseen(data, rows, table.models, options);
    }
    models_.push_back(model
                          ? *std::move(model)
                          : FoldModel::fit(data, rows, table.models, options));
  };
  if (!training.empty()) {
    fit(training);
    return;
  }
  for (uint32_t fold = 0; fold < split_.folds; ++fold) {
    std::vector<uint32_t> others;
    for (size_t i = 0; i < table.size(); ++i) {
      if (split_.fold[i] != fold) others.push_back(table.rows[i]);
    }
    fit(others);
  }
}

std::vector<float> FoldPredictor::of_row(size_t row) const {
  return floats(models_[split_.fold[row]].chances(table_.rows[row]));
}

std::vector<float> FoldPredictor::of_text(size_t row, std::string_view prompt,
                                          std::string_view context,
                                          float&) const {
  return floats(models_[split_.fold[row]].chances(prompt, context));
}

}  // namespace llmroute::app
