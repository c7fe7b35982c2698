// The pair of a study: as RouteLLM measures it, as a fine curve, by dataset and
// by domain.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "learning/bootstrap.h"
#include "learning/study_report.h"
#include "learning/study_rows.h"
#include "learning/study_table.h"

namespace llmroute::learning {

// Two models of a table by their numbers.
struct StudyPair {
  size_t strong = 0, weak = 0;
};

// Of two models the better one is strong; of more, the best and the one at the
// lower quartile. Nothing if they do not differ.
std::optional<StudyPair> choose_study_pair(const StudyTable& table);

// The rows of the table that have both.
std::vector<size_t> pair_rows(const StudyTable& table, const StudyPair& pair);

// A larger number asks for the strong model: the difference of its chance to
// the weak one's, or the difficulty where one of the two is not known.
double pair_score(float strong, float weak, float difficulty);

double row_score(const StudyRows& rows, const StudyTable& table,
                 const StudyPair& pair, size_t row);

PairReport measure_pair(const StudyRows& rows, const StudyTable& table,
                        const StudyPair& pair, const Resampling& resampling);

// The rows of each dataset or domain by itself, largest first.
enum class SliceBy { kDataset, kDomain };
std::vector<SliceReport> measure_slices(const StudyRows& rows,
                                        const StudyTable& table,
                                        const StudyPair& pair, SliceBy by,
                                        const Resampling& resampling);

// Brier, ECE and AUC of each model that has probabilities, and of all of them
// together.
std::vector<HeadReport> measure_heads(const StudyTable& table, HeadReport& all,
                                      const Resampling& resampling);

}  // namespace llmroute::learning
