// The pair of a study: as RouteLLM measures it, as a fine curve, by dataset and
// by domain.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "app/bench_report.h"
#include "app/bench_rows.h"
#include "app/bench_table.h"
#include "learning/bootstrap.h"

namespace llmroute::app {

// Two models of a table by their numbers.
struct StudyPair {
  size_t strong = 0, weak = 0;
};

// Of two models the better one is strong; of more, the best and the one at the
// lower quartile. Nothing if they do not differ.
std::optional<StudyPair> choose_study_pair(const StudyTable& table);

// The rows of the table that have both.
std::vector<size_t> pair_rows(const StudyTable& table, const StudyPair& pair);

double row_score(const BenchRows& rows, const StudyTable& table,
                 const StudyPair& pair, size_t row);

PairReport measure_pair(const BenchRows& rows, const StudyTable& table,
                        const StudyPair& pair,
                        const learning::Resampling& resampling);

// The rows of each dataset or domain by itself, largest first.
enum class SliceBy { kDataset, kDomain };
std::vector<SliceReport> measure_slices(const BenchRows& rows,
                                        const StudyTable& table,
                                        const StudyPair& pair, SliceBy by,
                                        const learning::Resampling& resampling);

// Brier, ECE and AUC of each model that has probabilities, and of all of them
// together.
std::vector<HeadReport> measure_heads(const StudyTable& table, HeadReport& all,
                                      const learning::Resampling& resampling);

}  // namespace llmroute::app
