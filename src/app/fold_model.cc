#include "app/fold_model.h"

#include <utility>

#include "analyzer/dense.h"
#include "analyzer/features.h"
#include "app/sample_features.h"

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
  if (data.models().size() < measured.size() + 2) return std::nullopt;
  learning::OutcomeHeadsOptions unseen = options;
  unseen.unseen = true;
  return FoldModel(data, learning::OutcomeHeads::fit(data.problem(), train,
                                                     measured, unseen));
}

std::vector<double> FoldModel::chances(uint32_t row) const {
  return heads_.chances(learning::features_of(data_->problem(), row));
}

std::vector<double> FoldModel::chances(std::string_view prompt,
                                       std::string_view context) const {
  analyzer::TrainingFeatures features;
  analyzer::extract(prompt, context, features);
  learning::Problem one;
  one.bucket_bits = kBucketBits;
  one.dense_count = analyzer::kDenseCount;
  one.samples.push_back(append_features(features, one));
  return heads_.chances(learning::features_of(one, 0));
}

}  // namespace llmroute::app
