#include "learning/study_rows.h"

namespace llmroute::learning {
namespace {

float as_float(double value) { return static_cast<float>(value); }

float cost_of(const Row& row, const std::string& model) {
  for (const auto& [name, cost] : row.costs) {
    if (name == model) return as_float(cost);
  }
  return kMissing;
}

void count(uint32_t file, int64_t line, TrainedRows& trained) {
  if (trained.count++ > 0) return;
  trained.file = file;
  trained.line = static_cast<uint32_t>(line);
}

}  // namespace

uint32_t NameTable::number(const std::string& name) {
  const auto [place, is_new] =
      numbers_.try_emplace(name, static_cast<uint32_t>(names_.size()));
  if (is_new) names_.push_back(name);
  return place->second;
}

void StudyRows::add_label(const Row& row, const core::Analysis& analysis,
                          int64_t line, bool trained) {
  if (!row.domain) return;
  if (trained) return count(last_file(), line, trained_labels);
  labels.push_back({*row.domain, core::largest(analysis.domain)});
}

void StudyRows::leave_out(int64_t line) {
  count(last_file(), line, trained_outcomes);
}

void StudyRows::add_outcomes(const Row& row, const core::Analysis& analysis,
                             int64_t line) {
  StudyRow kept;
  kept.keys = row.keys();
  kept.bytes = static_cast<float>(row.prompt.size() + row.context.size());
  kept.output_tokens =
      as_float(row.answer_tokens.value_or(analysis.output_tokens));
  kept.difficulty = as_float(analysis.difficulty);
  kept.slope = as_float(analysis.slope);
  kept.learned = analysis.learned;
  for (size_t d = 0; d < kept.domain.size(); ++d) {
    kept.domain[d] = as_float(analysis.domain[d]);
  }
  kept.file = last_file();
  kept.line = static_cast<uint32_t>(line);
  kept.dataset = datasets.number(row.group);
  kept.named_domain = domains.number(row.raw_domain);
  kept.outcome_begin = static_cast<uint32_t>(outcomes.size());
  for (const auto& [model, score] : row.scores) {
    outcomes.push_back(
        {models.number(model), as_float(score), cost_of(row, model)});
  }
  kept.outcome_end = static_cast<uint32_t>(outcomes.size());
  rows.push_back(kept);
}

core::Analysis analysis_of(const StudyRow& row) {
  core::Analysis analysis;
  analysis.difficulty = static_cast<double>(row.difficulty);
  analysis.slope = static_cast<double>(row.slope);
  analysis.learned = row.learned;
  for (size_t d = 0; d < row.domain.size(); ++d) {
    analysis.domain[d] = static_cast<double>(row.domain[d]);
  }
  return analysis;
}

}  // namespace llmroute::learning
