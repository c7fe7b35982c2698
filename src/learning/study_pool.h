// The pool of a study: quality against cost, as RouterBench measures it.
#pragma once

#include <optional>
#include <vector>

#include "learning/bootstrap.h"
#include "learning/pool.h"
#include "learning/study_report.h"
#include "learning/study_rows.h"
#include "learning/study_table.h"

namespace llmroute::learning {

// The rows of a study that all models answered at a known cost.
struct PoolData {
  PoolTable table;
  std::vector<float> chance;         // of the router
  std::vector<float> length_chance;  // by length alone, from the other folds
  std::vector<float> expected_cost;  // by bytes, from the other folds
  std::vector<uint64_t> prompt;      // hashes
};

// Nothing without costs, with fewer than ten rows, with prompts of one fold
// only, or if all is free.
std::optional<PoolData> make_pool(const StudyRows& rows,
                                  const StudyTable& table);

PoolReport measure_pool(const StudyTable& study, const PoolData& pool,
                        const Resampling& resampling);

}  // namespace llmroute::learning
