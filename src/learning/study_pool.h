// The pool of a study: quality against cost, as RouterBench measures it.
#pragma once

#include <vector>

#include "base/result.h"
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
  std::vector<uint64_t> prompt;      // StudyTable::prompts
};

// Errors: kData, saying what it lacks: costs, ten rows, several prompts, or a
// model that is not free.
base::Result<PoolData> make_pool(const StudyRows& rows,
                                 const StudyTable& table);

PoolReport measure_pool(const StudyTable& study, const PoolData& pool,
                        const Resampling& resampling);

}  // namespace llmroute::learning
