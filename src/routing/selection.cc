#include "routing/selection.h"

#include <algorithm>
#include <tuple>

namespace llmroute::routing {
namespace {

using core::Candidate;

// 0: worth its cost, 1: not, 2: cost unknown.
int standing(const Candidate& candidate) {
  if (!candidate.cost) return 2;
  return candidate.worth >= 0 ? 0 : 1;
}

bool better(const Candidate& a, const Candidate& b) {
  if (standing(a) != standing(b)) return standing(a) < standing(b);
  if (standing(a) == 1 && a.per_good_answer != b.per_good_answer) {
    return a.per_good_answer < b.per_good_answer;
  }
  if (standing(a) != 1 && a.worth != b.worth) return a.worth > b.worth;
  return a.model->name < b.model->name;
}

size_t winner_tier(const std::vector<Candidate>& candidates,
                   const core::Config& config) {
  const auto best =
      std::min_element(candidates.begin(), candidates.end(), better);
  return config.tier_of(*best->model);
}

}  // namespace

namespace {

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
    candidate.worth = worth.good_answer * candidate.good - weights[i].spent;
    candidate.per_good_answer = weights[i].spent / candidate.good;
  }
}

}  // namespace

double chance_good(const core::Analysis& analysis, const core::Model& model,
                   double difficulty) {
  return core::sigmoid(
      analysis.slope *
          (core::mean_over(analysis.domain, model.ability) - difficulty) +
      core::learned_logit(analysis, model.name, model.id));
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
  const auto weigh_at = [&](double difficulty) {
    weigh(candidates, weights, analysis.slope, worth, difficulty);
  };
  double used = analysis.difficulty;
  weigh_at(used);
  if (candidates.size() > 1) {
    const double most = kMostRaise * (1 - analysis.confidence);
    size_t highest = winner_tier(candidates, config);
    for (int step = 1; step * kRaiseStep <= most; ++step) {
      const double raised = analysis.difficulty + step * kRaiseStep;
      weigh_at(raised);
      const size_t tier = winner_tier(candidates, config);
      if (tier > highest)
        std::tie(highest, used) = std::make_tuple(tier, raised);
    }
    weigh_at(used);
  }
  std::sort(candidates.begin(), candidates.end(), better);
  return used;
}

}  // namespace llmroute::routing
