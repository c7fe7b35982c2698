// The pool of a study: quality against cost, as RouterBench measures it.
#pragma once

#include <optional>
#include <vector>

#include "app/bench_report.h"
#include "app/bench_rows.h"
#include "app/bench_table.h"
#include "learning/bootstrap.h"
#include "learning/pool.h"

namespace llmroute::app {

// The rows of a study that all models answered at a known cost.
struct PoolData {
  learning::PoolTable table;
  std::vector<size_t> rows;          // of the study
  std::vector<float> chance;         // of the router
  std::vector<float> length_chance;  // by length alone, from the other folds
  std::vector<float> expected_cost;  // by bytes, from the other folds
  std::vector<uint64_t> prompt;      // hashes
};

// Nothing without costs, with fewer than ten rows, with prompts of one fold
// only, or if all is free.
std::optional<PoolData> make_pool(const BenchRows& rows,
                                  const StudyTable& table);

PoolReport measure_pool(const StudyTable& study, const PoolData& pool,
                        const learning::Resampling& resampling);

}  // namespace llmroute::app
