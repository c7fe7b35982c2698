#include "routing/selection.h"

#include <algorithm>

namespace llmroute::routing {
namespace {

using core::Candidate;

bool comes_first(const Candidate& a, const Candidate& b) {
  return better({a.cost.has_value(), a.worth, a.per_good_answer}, *a.model,
                {b.cost.has_value(), b.worth, b.per_good_answer}, *b.model);
}

size_t winner_tier(const std::vector<Candidate>& candidates,
                   const core::Config& config) {
  const auto best =
      std::min_element(candidates.begin(), candidates.end(), comes_first);
  return config.tier_of(*best->model);
}

// What a difficulty does not change.
struct Weight {
  double ability = 0;
  double learned = 0;
  double spent = 0;  // dollars, waiting included
};

Weight weight_of(const Candidate& candidate, const core::Analysis& analysis,
                 const core::Worth& worth) {
  const core::Model& model = *candidate.model;
  return {
      core::mean_over(analysis.domain, model.ability),
      core::learned_logit(analysis, model.name, model.id) + candidate.learned,
      candidate.cost.value_or(core::Money{}).usd() +
          worth.second * candidate.seconds};
}

std::vector<Weight> weights_of(const std::vector<Candidate>& candidates,
                               const core::Analysis& analysis,
                               const core::Worth& worth) {
  std::vector<Weight> weights;
  weights.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    weights.push_back(weight_of(candidate, analysis, worth));
  }
  return weights;
}

double chance(const Weight& weight, double slope, double difficulty) {
  return core::sigmoid(slope * (weight.ability - difficulty) + weight.learned);
}

void weigh(std::vector<Candidate>& candidates,
           const std::vector<Weight>& weights, double slope,
           const core::Worth& worth, double difficulty) {
  for (size_t i = 0; i < candidates.size(); ++i) {
    Candidate& candidate = candidates[i];
    candidate.good = chance(weights[i], slope, difficulty);
    const Score score = score_of(candidate.cost.has_value(), weights[i].spent,
                                 candidate.good, worth);
    candidate.worth = score.worth;
    candidate.per_good_answer = score.per_good_answer;
  }
}

}  // namespace

double chance_good(const core::Analysis& analysis, const core::Model& model,
                   double difficulty, double learned) {
  return core::sigmoid(
      analysis.slope *
          (core::mean_over(analysis.domain, model.ability) - difficulty) +
      (core::learned_logit(analysis, model.name, model.id) + learned));
}

void weigh(std::vector<Candidate>& candidates, const core::Analysis& analysis,
           const core::Worth& worth, double difficulty) {
  weigh(candidates, weights_of(candidates, analysis, worth), analysis.slope,
        worth, difficulty);
}

double order_by_worth(std::vector<Candidate>& candidates,
                      const core::Analysis& analysis, const core::Worth& worth,
                      const core::Config& config) {
  const std::vector<Weight> weights = weights_of(candidates, analysis, worth);
  const auto weigh_at = [&](int step) {
    const double difficulty = analysis.difficulty + step * kRaiseStep;
    weigh(candidates, weights, analysis.slope, worth, difficulty);
    return difficulty;
  };
  int used = 0;
  if (candidates.size() > 1) {
    used = steps_raised(analysis.confidence, [&](int step) {
      weigh_at(step);
      return winner_tier(candidates, config);
    });
  }
  const double difficulty = weigh_at(used);
  std::sort(candidates.begin(), candidates.end(), comes_first);
  return difficulty;
}

}  // namespace llmroute::routing
