// Rows of outcomes as they are measured: numbers only, no text.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/analysis.h"
#include "core/domain.h"
#include "learning/metrics.h"
#include "learning/rows.h"

namespace llmroute::learning {

inline constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

// Names by number, in the order they were first met.
class NameTable {
 public:
  uint32_t number(const std::string& name);
  const std::string& name(uint32_t number) const { return names_[number]; }
  bool has(const std::string& name) const { return numbers_.contains(name); }
  size_t size() const { return names_.size(); }

 private:
  std::vector<std::string> names_;
  std::unordered_map<std::string, uint32_t> numbers_;
};

struct ModelOutcome {
  uint32_t model = 0;     // in StudyRows::models
  float score = 0;        // 0..1
  float cost = kMissing;  // dollars, as the file has it
};

struct StudyRow {
  PromptKeys keys;
  float bytes = 0;  // of prompt and context
  float output_tokens = 0;
  float difficulty = 0, slope = 1;
  std::array<float, core::kDomainCount> domain{};  // as the analyzer has it
  std::vector<core::Analysis::Learned> learned;    // of single models
  uint32_t file = 0, line = 0;
  uint32_t dataset = 0;       // in StudyRows::datasets
  uint32_t named_domain = 0;  // in StudyRows::domains
  uint32_t outcome_begin = 0, outcome_end = 0;
};

// Rows that the router model was trained on.
struct TrainedRows {
  size_t count = 0;
  uint32_t file = 0, line = 0;  // of the first
};

struct StudyRows {
  // What the analyzer makes of a row's domain. `line`: in the last of `files`.
  // `trained`: the router model was trained on it; such a row is counted only.
  void add_label(const Row& row, const core::Analysis& analysis, int64_t line,
                 bool trained);
  // REQUIRES: row.has_outcomes().
  void add_outcomes(const Row& row, const core::Analysis& analysis,
                    int64_t line);
  // Instead, for a row that the router model was trained on.
  void leave_out(int64_t line);

  std::vector<StudyRow> rows;
  std::vector<ModelOutcome> outcomes;
  NameTable models, datasets, domains;
  std::vector<std::string> files;
  std::vector<Labelled> labels;  // domains: as labelled, as guessed
  TrainedRows trained_outcomes, trained_labels;  // left out

 private:
  uint32_t last_file() const { return static_cast<uint32_t>(files.size() - 1); }
};

core::Analysis analysis_of(const StudyRow& row);

}  // namespace llmroute::learning
