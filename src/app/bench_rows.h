// Reads files of outcomes for `bench`.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "analyzer/analyzer.h"
#include "app/bench_status.h"
#include "base/result.h"
#include "learning/rows.h"
#include "learning/study_rows.h"
#include "routing/router.h"

namespace llmroute::app {

// How long `run` would take over the prompts, without reading and asking.
struct DecisionTimes {
  std::vector<float> analysis_ns;
  std::vector<float> all_ns;  // the decision among all models, too
};

struct RowChoice {
  // Only rows that a training holds out, and that the analyzer's did.
  bool test_part = false;
  // Also outcomes of prompts that the analyzer was trained on: what is fitted
  // to the rows themselves does not use it.
  bool trained = false;
};

struct ReadingOptions {
  RowChoice choice;
  BenchStatus* status = nullptr;   // told of every row; may be null
  DecisionTimes* times = nullptr;  // of every row; may be null
  // Decides, for `times`. REQUIRES: set if that is.
  const routing::Router* router = nullptr;
  // Called with every row that is kept as outcomes; may be empty.
  std::function<void(const learning::Row&)> kept;
};

// Adds a file's rows. Errors: kNoInput; kData with file and line; as of the
// router.
base::Status read_rows(const std::string& path,
                       const analyzer::Analyzer& analyzer,
                       const ReadingOptions& options,
                       learning::StudyRows& rows);

// The rows of a file that are kept as outcomes, in order, for a second look at
// their text. Errors as in read_rows().
base::Status for_each_kept(
    const std::string& path, const analyzer::Analyzer& analyzer,
    const RowChoice& choice,
    const std::function<base::Status(const learning::Row&)>& visit);

// kData if the router model was trained on the rows' prompts: on more than one
// with outcomes in a thousand, which may look so by chance (trained_on(),
// training_set.h), or on most of those with a domain. What is left out with
// fewer, the report tells.
base::Status check_not_trained_on(const learning::StudyRows& rows);

}  // namespace llmroute::app
