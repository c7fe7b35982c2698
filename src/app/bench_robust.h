// Whether a study's prompts, typed otherwise, are routed to the same model.
#pragma once

#include <string>
#include <vector>

#include "analyzer/analyzer.h"
#include "app/bench_predictor.h"
#include "app/bench_rows.h"
#include "learning/study_pair.h"
#include "learning/study_report.h"

namespace llmroute::app {

struct RobustInput {
  const learning::StudyRows& rows;
  const learning::StudyTable& table;
  learning::StudyPair pair;
  const Predictor& predictor;
  const analyzer::Analyzer& analyzer;
  RowChoice choice;  // as the rows were read
  uint64_t seed = 1;
  int threads = 1;
};

// Reads the files again, since their text was not kept. A decision is "strong"
// for the half of the prompts that scores highest. Paraphrases in the data are
// one variant more. Errors: as in reading; kData if a file is not what it was.
base::Result<learning::RobustReport> measure_robustness(
    const RobustInput& input);

}  // namespace llmroute::app
