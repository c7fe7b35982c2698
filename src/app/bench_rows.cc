#include "app/bench_rows.h"

#include <chrono>
#include <utility>

#include "base/files.h"
#include "learning/row_reader.h"

namespace llmroute::app {
namespace {

bool is_kept(const learning::Row& row) {
  return !row.scores.empty() && !row.suspect && !row.preference;
}

float as_float(double value) { return static_cast<float>(value); }

float cost_of(const learning::Row& row, const std::string& model) {
  for (const auto& [name, cost] : row.costs) {
    if (name == model) return as_float(cost);
  }
  return kMissing;
}

// Calls visit(row, line) for the rows of the part asked for.
template <class Visit>
base::Status for_each_row(const std::string& path, bool test_part,
                          const Visit& visit) {
  LLMROUTE_TRY(learning::RowReader reader, learning::RowReader::open(path));
  for (;;) {
    LLMROUTE_TRY(const std::optional<learning::Row> row, reader.next());
    if (!row) return {};
    if (test_part && part_of(row->prompt) != Part::kTest) continue;
    LLMROUTE_CHECK(visit(*row, reader.line()));
  }
}

}  // namespace

uint32_t NameTable::number(const std::string& name) {
  const auto [place, is_new] =
      numbers_.try_emplace(name, static_cast<uint32_t>(names_.size()));
  if (is_new) names_.push_back(name);
  return place->second;
}

base::Status BenchRows::read(const std::string& path,
                             const analyzer::Analyzer& analyzer,
                             const ReadingOptions& options) {
  files.push_back(path);
  if (options.status != nullptr) options.status->begin("reading " + path);
  const auto visit = [&](const learning::Row& row,
                         int64_t line) -> base::Status {
    const auto begin = std::chrono::steady_clock::now();
    const core::Analysis analysis = analyzer.analyze({row.prompt, row.context});
    const std::chrono::duration<float, std::nano> took =
        std::chrono::steady_clock::now() - begin;
    decision_ns.push_back(took.count());
    add(row, analysis, line, options);
    if (options.status != nullptr) options.status->add_row();
    return {};
  };
  return for_each_row(path, options.test_part, visit);
}

void BenchRows::add(const learning::Row& row, const core::Analysis& analysis,
                    int64_t line, const ReadingOptions& options) {
  if (row.domain) {
    labels.push_back({*row.domain, core::largest(analysis.domain)});
  }
  if (!is_kept(row)) return;
  if (options.kept) options.kept(row);
  BenchRow kept;
  kept.prompt = learning::prompt_hash(row.prompt);
  kept.bytes = static_cast<float>(row.prompt.size() + row.context.size());
  kept.output_tokens =
      as_float(row.answer_tokens.value_or(analysis.output_tokens));
  kept.difficulty = as_float(analysis.difficulty);
  kept.slope = as_float(analysis.slope);
  kept.learned = analysis.learned;
  for (size_t d = 0; d < kept.domain.size(); ++d) {
    kept.domain[d] = as_float(analysis.domain[d]);
  }
  kept.file = static_cast<uint32_t>(files.size() - 1);
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

base::Status for_each_kept(
    const std::string& path, bool test_part,
    const std::function<base::Status(const learning::Row&)>& visit) {
  return for_each_row(path, test_part,
                      [&](const learning::Row& row, int64_t) -> base::Status {
                        return is_kept(row) ? visit(row) : base::Status();
                      });
}

core::Analysis analysis_of(const BenchRow& row) {
  core::Analysis analysis;
  analysis.difficulty = static_cast<double>(row.difficulty);
  analysis.slope = static_cast<double>(row.slope);
  analysis.learned = row.learned;
  for (size_t d = 0; d < row.domain.size(); ++d) {
    analysis.domain[d] = static_cast<double>(row.domain[d]);
  }
  return analysis;
}

}  // namespace llmroute::app
