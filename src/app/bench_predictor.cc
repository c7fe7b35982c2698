#include "app/bench_predictor.h"

#include <algorithm>
#include <cmath>

#include "app/trained_model.h"
#include "learning/abilities.h"

namespace llmroute::app {
namespace {

bool has_head(const core::Analysis& analysis, const std::string& model) {
  return std::any_of(
      analysis.learned.begin(), analysis.learned.end(),
      [&](const core::Analysis::Learned& one) { return one.model == model; });
}

}  // namespace

AbilityPredictor::AbilityPredictor(const BenchRows& rows,
                                   const StudyTable& table,
                                   const analyzer::Analyzer& analyzer,
                                   const core::Config& config)
    : rows_(rows), table_(table), analyzer_(analyzer) {
  learning::Abilities known;
  for (const core::Model& model : config.models) {
    for (const std::string& name : {model.name, model.id}) {
      known.try_emplace(learning::normalised_model_name(name), model.ability);
    }
  }
  for (const std::string& model : table.models) {
    const auto place = known.find(learning::normalised_model_name(model));
    abilities_.push_back(place == known.end() ? std::nullopt
                                              : std::optional(place->second));
  }
}

std::vector<float> AbilityPredictor::chances(
    const core::Analysis& analysis) const {
  std::vector<float> all;
  for (size_t m = 0; m < abilities_.size(); ++m) {
    const std::string& name = table_.models[m];
    std::optional<core::PerDomain> ability = abilities_[m];
    // What it was fitted to: own_heads.h.
    if (!ability && has_head(analysis, name)) ability.emplace();
    all.push_back(
        ability ? static_cast<float>(chance_good(analysis, name, *ability))
                : kMissing);
  }
  return all;
}

std::vector<float> AbilityPredictor::of_row(size_t row) const {
  return chances(analysis_of(rows_.rows[table_.rows[row]]));
}

std::vector<float> AbilityPredictor::of_text(size_t, std::string_view prompt,
                                             std::string_view context,
                                             float& difficulty) const {
  const core::Analysis analysis = analyzer_.analyze({prompt, context});
  difficulty = static_cast<float>(analysis.difficulty);
  return chances(analysis);
}

double pair_score(float strong, float weak, float difficulty) {
  const bool known = !std::isnan(strong) && !std::isnan(weak);
  return static_cast<double>(known ? strong - weak : difficulty);
}

}  // namespace llmroute::app
