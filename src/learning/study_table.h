// A study of `bench`: the rows of all files that compare the same models, as a
// table of numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/config.h"
#include "learning/study_rows.h"

namespace llmroute::learning {

enum class CostSource { kNone, kFile, kPrices };

// `models` values a row, kMissing where the model did not answer.
struct StudyTable {
  std::string name;  // of the file, or "FILE and N more"
  std::vector<std::string> models;
  std::vector<uint32_t> rows;     // in StudyRows::rows
  std::vector<uint64_t> prompts;  // of each, equal for one: identities_of()
  std::vector<float> quality;
  std::vector<float> cost;    // dollars; of the file or by the config's prices
  std::vector<float> chance;  // P(good), of the router that is measured
  CostSource costs = CostSource::kNone;

  size_t size() const { return rows.size(); }
  size_t at(size_t row, size_t model) const {
    return row * models.size() + model;
  }
};

// One study per set of models: of each file those that answered nine tenths of
// its rows or, if `patterns` are given (names or globs), those that match one.
// Rows on which fewer than two of them are known are left out. Errors: kUsage
// if a pattern matches no model, or all of them one only; kData if no file
// compares two models.
base::Result<std::vector<StudyTable>> make_studies(
    const StudyRows& rows, const std::vector<std::string>& patterns,
    const core::Config& config);

}  // namespace llmroute::learning
