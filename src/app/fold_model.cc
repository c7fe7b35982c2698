#include "app/fold_model.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "analyzer/dense.h"
#include "analyzer/features.h"
#include "app/sample_features.h"
#include "learning/logistic.h"

namespace llmroute::app {

FoldData::FoldData() {
  problem_.bucket_bits = kBucketBits;
  problem_.dense_count = analyzer::kDenseCount;
}

uint32_t FoldData::add(const learning::Row& row) {
  analyzer::TrainingFeatures features;
  analyzer::extract(row.prompt, row.context, features);
  learning::Sample sample = append_features(features, problem_);
  sample.outcome_begin = static_cast<uint32_t>(problem_.outcomes.size());
  for (const auto& [model, score] : row.scores) {
    const auto [place, is_new] =
        index_.try_emplace(model, static_cast<uint32_t>(models_.size()));
    if (is_new) models_.push_back(model);
    problem_.outcomes.push_back({place->second, static_cast<float>(score)});
  }
  sample.outcome_end = static_cast<uint32_t>(problem_.outcomes.size());
  problem_.samples.push_back(sample);
  return static_cast<uint32_t>(problem_.samples.size() - 1);
}

namespace {

std::vector<uint32_t> numbers_of(const FoldData& data,
                                 std::span<const std::string> models) {
  std::vector<uint32_t> numbers;
  for (const std::string& model : models) {
    for (uint32_t i = 0; i < data.models().size(); ++i) {
      if (data.models()[i] == model) numbers.push_back(i);
    }
  }
  return numbers;
}

double logit(double p) {
  constexpr double kLeast = 1e-4;
  p = std::clamp(p, kLeast, 1 - kLeast);
  return std::log(p / (1 - p));
}

}  // namespace

FoldModel FoldModel::fit(const FoldData& data, std::span<const uint32_t> train,
                         std::span<const std::string> models,
                         const learning::OutcomeHeadsOptions& options) {
  return FoldModel(
      data, learning::OutcomeHeads::fit(data.problem(), train,
                                        numbers_of(data, models), options));
}

std::optional<FoldModel> FoldModel::fit_unseen(
    const FoldData& data, std::span<const uint32_t> train,
    std::span<const std::string> models,
    const learning::OutcomeHeadsOptions& options) {
  const std::vector<uint32_t> measured = numbers_of(data, models);
  std::vector<uint32_t> others;
  for (uint32_t i = 0; i < data.models().size(); ++i) {
    if (std::find(measured.begin(), measured.end(), i) == measured.end()) {
      others.push_back(i);
    }
  }
  if (others.size() < 2) return std::nullopt;
  learning::OutcomeHeadsOptions shared = options;
  shared.sharing = 8;
  FoldModel model(
      data, learning::OutcomeHeads::fit(data.problem(), train, others, shared));
  model.set_means(train, measured);
  return model;
}

void FoldModel::set_means(std::span<const uint32_t> train,
                          std::span<const uint32_t> models) {
  const learning::Problem& problem = data_->problem();
  std::vector<double> score(models.size()), count(models.size());
  double ease_sum = 0;
  for (const uint32_t row : train) {
    ease_sum += ease(learning::features_of(problem, row));
    const learning::Sample& sample = problem.samples[row];
    for (uint32_t o = sample.outcome_begin; o < sample.outcome_end; ++o) {
      for (size_t m = 0; m < models.size(); ++m) {
        if (problem.outcomes[o].model != models[m]) continue;
        score[m] += static_cast<double>(problem.outcomes[o].score);
        count[m] += 1;
      }
    }
  }
  const double mean_ease = ease_sum / static_cast<double>(train.size());
  for (size_t m = 0; m < models.size(); ++m) {
    const double mean = count[m] == 0 ? 0.5 : score[m] / count[m];
    offsets_.push_back(logit(mean) - mean_ease);
  }
}

double FoldModel::ease(const learning::PromptFeatures& features) const {
  const std::vector<double> all = heads_.chances(features);
  double sum = 0;
  for (const double chance : all) sum += logit(chance);
  return sum / static_cast<double>(all.size());
}

std::vector<double> FoldModel::chances(
    const learning::PromptFeatures& features) const {
  if (offsets_.empty()) return heads_.chances(features);
  const double z = ease(features);
  std::vector<double> all;
  for (const double offset : offsets_) {
    all.push_back(learning::sigmoid(z + offset));
  }
  return all;
}

std::vector<double> FoldModel::chances(uint32_t row) const {
  return chances(learning::features_of(data_->problem(), row));
}

std::vector<double> FoldModel::chances(std::string_view prompt,
                                       std::string_view context) const {
  analyzer::TrainingFeatures features;
  analyzer::extract(prompt, context, features);
  learning::Problem one;
  one.bucket_bits = kBucketBits;
  one.dense_count = analyzer::kDenseCount;
  one.samples.push_back(append_features(features, one));
  return chances(learning::features_of(one, 0));
}

}  // namespace llmroute::app
