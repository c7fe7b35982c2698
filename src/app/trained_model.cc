#include "app/trained_model.h"

#include <algorithm>
#include <cmath>

#include "analyzer/features.h"
#include "analyzer/heads.h"

namespace llmroute::app {

TrainedModel::TrainedModel(const learning::Solution& solution,
                           const TrainingSet& set, float shrink)
    : rows_(solution.rows.size()), seen_(set.seen), trained_(set.trained) {
  static_assert(learning::kHeads == analyzer::kHeadCount);
  round_rows(solution.rows);
  model_.bucket_bits = set.problem.bucket_bits;
  model_.seen_bits = static_cast<uint32_t>(std::countr_zero(seen_.size() * 8));
  model_.rows = rows_;
  model_.seen = seen_;
  model_.trained = trained_;
  model_.bias = solution.bias;
  std::copy(solution.dense.begin(), solution.dense.end(), model_.dense.begin());
  model_.base = solution.base;
  model_.slope = solution.slope;
  model_.shrink = shrink;
}

// The largest weight of a head becomes 127.
void TrainedModel::round_rows(const std::vector<learning::HeadWeights>& rows) {
  learning::HeadWeights largest{};
  for (const learning::HeadWeights& row : rows) {
    for (size_t h = 0; h < row.size(); ++h) {
      largest[h] = std::max(largest[h], std::fabs(row[h]));
    }
  }
  for (size_t h = 0; h < largest.size(); ++h) {
    const float scale = largest[h] / 127;
    model_.gram_scale[h] = scale;
    for (size_t i = 0; i < rows.size(); ++i) {
      rows_[i].weight[h] =
          scale == 0 ? int8_t{0}
                     : static_cast<int8_t>(std::lround(rows[i][h] / scale));
    }
  }
}

core::Analysis TrainedModel::analyze(std::string_view prompt,
                                     std::string_view context) const {
  const analyzer::Window window = analyzer::choose_window(prompt, context);
  analyzer::Surface surface;
  return analyzer::judge(model_, analyzer::gather(model_, window, surface));
}

std::string TrainedModel::bytes(const analyzer::Training& training) const {
  return analyzer::serialize_model(model_, training);
}

void TrainedModel::set_own_heads(std::vector<analyzer::OwnHead> heads) {
  own_ = std::move(heads);
  model_.own = own_;
}

bool has_head(const core::Analysis& analysis, std::string_view name) {
  return std::any_of(
      analysis.learned.begin(), analysis.learned.end(),
      [&](const core::Analysis::Learned& one) { return one.model == name; });
}

double chance_good(const core::Analysis& analysis, std::string_view name,
                   const core::PerDomain& ability) {
  const double expected = core::mean_over(analysis.domain, ability);
  return core::sigmoid(analysis.slope * (expected - analysis.difficulty) +
                       core::learned_logit(analysis, name, name));
}

}  // namespace llmroute::app
