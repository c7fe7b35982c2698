// How good the routing is on files of outcomes: a pair of models per source, as
// the literature measures it.
#pragma once

#include <string>
#include <vector>

#include "analyzer/analyzer.h"
#include "base/result.h"
#include "core/config.h"
#include "learning/metrics.h"

namespace llmroute::app {

// Figures of one way to score the prompts of a pair.
struct Scorer {
  std::string name;  // "llmroute", "length only", "oracle"
  learning::PairMetrics routellm;
  learning::FineMetrics fine;
  double apgr_low = 0, apgr_high = 0;  // 95 % bootstrap interval of fine.apgr
};

struct PairQuality {
  std::string source, strong, weak;
  size_t rows = 0;
  double strong_mean = 0, weak_mean = 0;
  bool known = false;  // both abilities: scored by P(strong) - P(weak), else by
                       // the difficulty
  std::vector<Scorer> scorers;
};

struct QualityReport {
  std::vector<PairQuality> pairs;
  size_t domain_rows = 0;
  learning::ClassMetrics domain;
};

// Rows whose outcomes are marked suspect or are preferences are left out. Of
// each source the pair is the model with the best mean and the one at the lower
// quartile, of those that answered nine tenths of the rows. Errors: kNoInput;
// kData with file and line, or without any row of outcomes or labels.
base::Result<QualityReport> measure_quality(
    const std::vector<std::string>& files, const core::Config& config,
    const analyzer::Analyzer& analyzer);

std::string quality_text(const QualityReport& report);
std::string quality_json(const QualityReport& report);

}  // namespace llmroute::app
