#include "app/own_heads.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "analyzer/heads.h"
#include "base/text.h"
#include "learning/correction.h"

namespace llmroute::app {
namespace {

constexpr double kPenalty = 20;  // on the squares of standardised weights

// The number of n-grams that a norm stands for.
uint32_t count_of(float norm) {
  return norm == 0 ? 0
                   : static_cast<uint32_t>(
                         std::lround(1 / (static_cast<double>(norm) *
                                          static_cast<double>(norm))));
}

// What the analyzer would find in a prompt of which only features are left.
analyzer::Evidence evidence_of(const analyzer::Model& model,
                               const learning::Problem& problem,
                               const learning::Sample& sample) {
  analyzer::Evidence evidence;
  for (uint32_t e = sample.entry_begin; e < sample.entry_end; ++e) {
    const learning::Entry entry = problem.entries[e];
    auto& sums = e < sample.edge_begin ? evidence.sums : evidence.edge_sums;
    for (size_t h = 0; h < sums.size(); ++h) {
      sums[h] += entry.count * model.rows[entry.row].weight[h];
    }
  }
  evidence.grams = count_of(sample.norm);
  evidence.edges = count_of(sample.edge_norm);
  const float* dense =
      problem.dense.data() + sample.dense * problem.dense_count;
  std::copy_n(dense, evidence.dense.size(), evidence.dense.begin());
  return evidence;
}

struct Chosen {
  std::string name;
  uint32_t model = 0;
  size_t outcomes = 0;
};

std::vector<Chosen> choose(const TrainingSet& set,
                           const std::vector<std::string>& globs) {
  std::vector<size_t> count(set.models.size());
  for (const learning::Outcome& outcome : set.problem.outcomes) {
    ++count[outcome.model];
  }
  std::vector<Chosen> chosen;
  for (uint32_t m = 0; m < set.models.size(); ++m) {
    const std::string& name = set.models[m];
    const bool named = std::any_of(
        globs.begin(), globs.end(),
        [&](const std::string& glob) { return base::glob_match(glob, name); });
    const bool fits = name.size() < analyzer::OwnHead().model.size();
    if (named && fits && count[m] >= kFewestOwnOutcomes) {
      chosen.push_back({name, m, count[m]});
    }
  }
  std::stable_sort(
      chosen.begin(), chosen.end(),
      [](const auto& a, const auto& b) { return a.outcomes > b.outcomes; });
  if (chosen.size() > analyzer::kMostOwnHeads) {
    chosen.resize(analyzer::kMostOwnHeads);
  }
  std::sort(chosen.begin(), chosen.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return chosen;
}

}  // namespace

base::Status check_own_heads(const TrainingSet& set,
                             const std::vector<std::string>& globs) {
  for (const std::string& glob : globs) {
    if (!choose(set, {glob}).empty()) continue;
    return base::Error{
        base::ErrorKind::kData,
        fmt::format("--heads: no model matches '{}' with at least {} outcomes "
                    "in the training part",
                    glob, kFewestOwnOutcomes)};
  }
  return {};
}

void assume_abilities(const std::vector<std::string>& globs, TrainingSet& set) {
  for (const Chosen& one : choose(set, globs)) {
    auto& ability = set.problem.known_ability[one.model];
    if (ability) continue;
    ability.emplace();
    ++set.assumed_abilities;
  }
}

std::vector<analyzer::OwnHead> fit_own_heads(
    const analyzer::Model& model, const learning::Solution& solution,
    const TrainingSet& set, const std::vector<std::string>& globs) {
  const std::vector<Chosen> chosen = choose(set, globs);
  if (chosen.empty()) return {};
  std::map<uint32_t, std::vector<learning::CorrectionRow>> rows;
  for (const Chosen& one : chosen) rows[one.model];
  const learning::Problem& problem = set.problem;
  for (const learning::Sample& sample : problem.samples) {
    if (sample.outcome_begin == sample.outcome_end) continue;
    const analyzer::Evidence evidence = evidence_of(model, problem, sample);
    const analyzer::Scores scores = analyzer::head_scores(model, evidence);
    const core::PerDomain domain = analyzer::domain_probabilities(scores);
    const auto coverage = static_cast<double>(sample.coverage);
    const double difficulty =
        analyzer::difficulty_of(model, scores, domain, coverage);
    const analyzer::OwnInputs inputs =
        analyzer::own_inputs(scores, evidence.dense);
    for (uint32_t o = sample.outcome_begin; o < sample.outcome_end; ++o) {
      const learning::Outcome& outcome = problem.outcomes[o];
      const auto place = rows.find(outcome.model);
      if (place == rows.end()) continue;
      const double ability =
          core::mean_over(domain, solution.ability[outcome.model]);
      place->second.push_back(
          {{inputs.begin(), inputs.end()},
           static_cast<double>(model.slope) * (ability - difficulty),
           std::pow(coverage, static_cast<double>(model.shrink)),
           static_cast<double>(outcome.score)});
    }
  }
  std::vector<analyzer::OwnHead> heads;
  for (const Chosen& one : chosen) {
    const learning::Correction fitted =
        learning::fit_correction(rows[one.model], kPenalty);
    analyzer::OwnHead& head = heads.emplace_back();
    std::copy(one.name.begin(), one.name.end(), head.model.begin());
    head.bias = static_cast<float>(fitted.bias);
    for (size_t i = 0; i < head.weight.size(); ++i) {
      head.weight[i] = static_cast<float>(fitted.weights[i]);
    }
  }
  return heads;
}

}  // namespace llmroute::app
