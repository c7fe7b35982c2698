// What `bench` measured on files of outcomes. Everything that is printed, drawn
// or compared comes from here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "learning/metrics.h"
#include "learning/study_report.h"

namespace llmroute::app {

struct DomainReport {
  size_t rows = 0;
  size_t trained_on = 0;  // further ones, which are left out
  learning::ClassMetrics metrics;
  std::vector<std::vector<size_t>> confusion;
};

struct TimeSpread {
  double p50_ns = 0, p99_ns = 0;
};

// Of a decision as `run` takes it, among all models: the analysis, and the
// choice by rules, gates and worth.
struct DecisionSpeed {
  size_t prompts = 0;
  TimeSpread all, analysis;
  double per_second = 0;
};

struct BenchReport {
  std::string router_model;  // "builtin-1" or the file
  std::string router_sha256;
  uint64_t seed = 1;
  std::vector<learning::StudyReport> studies;
  // Rows that the router model was trained on, left out of the studies.
  size_t trained_on = 0;
  DomainReport domains;
  DecisionSpeed speed;
};

}  // namespace llmroute::app
