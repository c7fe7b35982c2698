#include "learning/pairing.h"

#include <algorithm>
#include <map>

namespace llmroute::learning {
namespace {

struct Sum {
  double scores = 0;
  size_t rows = 0;
};

std::optional<double> find(const Scores& row, const std::string& model) {
  for (const auto& [name, score] : row) {
    if (name == model) return score;
  }
  return std::nullopt;
}

}  // namespace

std::optional<ModelPair> choose_pair(std::span<const Scores* const> rows) {
  std::map<std::string, Sum> sums;
  for (const Scores* row : rows) {
    for (const auto& [model, score] : *row) {
      sums[model].scores += score;
      ++sums[model].rows;
    }
  }
  std::vector<std::pair<double, std::string>> means;
  for (const auto& [model, sum] : sums) {
    if (sum.rows * 10 < rows.size() * 9) continue;
    means.emplace_back(sum.scores / static_cast<double>(sum.rows), model);
  }
  if (means.size() < 2) return std::nullopt;
  std::sort(means.begin(), means.end());
  const auto& [weak_mean, weak] = means[(means.size() - 1) / 4];
  const auto& [strong_mean, strong] = means.back();
  if (strong_mean - weak_mean < 0.01) return std::nullopt;
  return ModelPair{strong, weak, strong_mean, weak_mean};
}

std::optional<std::pair<double, double>> scores_of(const Scores& row,
                                                   const ModelPair& pair) {
  const auto strong = find(row, pair.strong), weak = find(row, pair.weak);
  if (!strong || !weak) return std::nullopt;
  return std::pair(*strong, *weak);
}

}  // namespace llmroute::learning
