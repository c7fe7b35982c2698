// Rows of outcomes as `bench` keeps them: numbers only, no text.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analyzer/analyzer.h"
#include "app/bench_status.h"
#include "app/training_set.h"
#include "base/result.h"
#include "core/analysis.h"
#include "core/domain.h"
#include "learning/metrics.h"
#include "learning/rows.h"

namespace llmroute::app {

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

struct BenchOutcome {
  uint32_t model = 0;     // in BenchRows::models
  float score = 0;        // 0..1
  float cost = kMissing;  // dollars, as the file has it
};

struct BenchRow {
  uint64_t prompt = 0;  // its hash
  float bytes = 0;      // of prompt and context
  float output_tokens = 0;
  float difficulty = 0, slope = 1;
  std::array<float, core::kDomainCount> domain{};  // as the analyzer has it
  std::vector<core::Analysis::Learned> learned;    // of single models
  uint32_t file = 0, line = 0;
  uint32_t dataset = 0;       // in BenchRows::datasets
  uint32_t named_domain = 0;  // in BenchRows::domains
  uint32_t outcome_begin = 0, outcome_end = 0;
};

struct ReadingOptions {
  bool test_part = false;         // only rows that a training holds out
  BenchStatus* status = nullptr;  // told of every row; may be null
  // Called with every row that is kept as outcomes; may be empty.
  std::function<void(const learning::Row&)> kept;
};

class BenchRows {
 public:
  // Rows without outcomes count for the domains only; those marked suspect and
  // preferences too. Errors: kNoInput; kData with file and line.
  base::Status read(const std::string& path, const analyzer::Analyzer& analyzer,
                    const ReadingOptions& options);

  std::vector<BenchRow> rows;
  std::vector<BenchOutcome> outcomes;
  NameTable models, datasets, domains;
  std::vector<std::string> files;
  std::vector<learning::Labelled> labels;  // domains: as labelled, as guessed
  std::vector<float> decision_ns;          // per row read

 private:
  void add(const learning::Row& row, const core::Analysis& analysis,
           int64_t line, const ReadingOptions& options);
};

// The rows of a file that are kept as outcomes, in order, for a second look at
// their text. Errors as in BenchRows::read.
base::Status for_each_kept(
    const std::string& path, bool test_part,
    const std::function<base::Status(const learning::Row&)>& visit);

core::Analysis analysis_of(const BenchRow& row);

}  // namespace llmroute::app
