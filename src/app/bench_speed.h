// The speed of this build: analysis, decision, start of the program.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyzer/analyzer.h"
#include "base/result.h"
#include "core/config.h"

namespace llmroute::app {

struct Timing {
  std::string what;   // "analysis", "analysis, long", "decision"
  size_t bytes = 0;   // of the prompt, in the mean
  size_t models = 0;  // weighed in a decision
  size_t calls = 0;
  double mean_ns = 0, p50_ns = 0, p99_ns = 0;

  double per_second() const { return 1e9 / mean_ns; }
  double ns_per_byte() const { return mean_ns / static_cast<double>(bytes); }
};

// Median wall time of `program --version`, with its output thrown away, beside
// /bin/true. 0: it could not be started.
struct StartTime {
  int runs = 0;
  double program_ms = 0, true_ms = 0;
};

struct SpeedReport {
  std::vector<Timing> timings;
  StartTime start;
};

// Takes about `seconds`. Errors: kConfig from the config's rules.
base::Result<SpeedReport> measure_speed(const core::Config& config,
                                        const analyzer::Analyzer& analyzer,
                                        double seconds);

// The analysis alone, of the lines of a file, each a prompt. Errors: kNoInput.
base::Result<SpeedReport> measure_lines(const std::string& path,
                                        const analyzer::Analyzer& analyzer,
                                        double seconds);

std::string speed_text(const SpeedReport& report);
std::string speed_json(const SpeedReport& report);

}  // namespace llmroute::app
