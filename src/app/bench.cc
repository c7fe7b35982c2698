#include "app/bench.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "analyzer/analyzer.h"
#include "app/bench_chart.h"
#include "app/bench_document.h"
#include "app/bench_figures.h"
#include "app/bench_quality.h"
#include "app/bench_speed.h"
#include "app/bench_status.h"
#include "app/messages.h"
#include "app/output.h"
#include "app/router_model.h"
#include "app/terminal.h"
#include "base/files.h"
#include "config/load.h"

namespace llmroute::app {
namespace {

using core::ExitStatus;

base::Result<analyzer::Analyzer> chosen_analyzer(const BenchOptions& options,
                                                 const core::Config& config) {
  if (options.quality.model_file) {
    LLMROUTE_CHECK(check_model_file(*options.quality.model_file));
    return analyzer::Analyzer::load(*options.quality.model_file);
  }
  LLMROUTE_CHECK(check_router_model(config));
  return router_model(config);
}

// False if a --fail-if is true of the figures.
bool passes(const BenchOptions& options, const BenchReport& report) {
  const Messages messages(options.messages);
  bool passed = true;
  for (const FailIf& fail_if : options.quality.fail_if) {
    for (const std::string& line : failures(fail_if, report)) {
      messages.error(line);
      passed = false;
    }
  }
  return passed;
}

std::vector<Chart> charts_of(const BenchReport& report) {
  std::vector<Chart> charts;
  for (const learning::StudyReport& study : report.studies) {
    if (const auto chart = chart_of(study)) charts.push_back(*chart);
  }
  return charts;
}

std::string text_of(const BenchOptions& options, const BenchReport& report,
                    const std::vector<Change>& changes) {
  std::string text;
  if (stdout_is_terminal()) {
    for (const Chart& chart : charts_of(report)) {
      text += chart_text(chart) + "\n";
    }
  }
  text += bench_text(report);
  if (options.quality.baseline) {
    text += changes_text(changes, *options.quality.baseline);
  }
  return text;
}

// Without files the speed is measured, and nothing that these ask for.
bool asks_for_quality(const QualityOptions& quality) {
  return !quality.models.empty() || quality.test_part || quality.baseline ||
         !quality.fail_if.empty() || quality.plot || quality.target_quality ||
         quality.robust || quality.folds > 0 || quality.groups ||
         quality.unseen || !quality.train.empty();
}

// --robust reads the files twice.
base::Status check_read_again(const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    if (file != "-" && !base::is_pipe(file)) continue;
    return base::Error{
        base::ErrorKind::kUsage,
        fmt::format("bench: --robust reads '{}' twice, which a pipe cannot be; "
                    "write it to a file",
                    file)};
  }
  return {};
}

base::Status check(const BenchOptions& options) {
  const QualityOptions& quality = options.quality;
  if (options.files.empty() && asks_for_quality(quality)) {
    return base::Error{base::ErrorKind::kUsage,
                       "bench: name the files of outcomes to measure"};
  }
  if (!options.files.empty() && options.speed) {
    return base::Error{base::ErrorKind::kUsage,
                       "bench: --speed takes no files of outcomes"};
  }
  std::vector<std::string> read = options.files;
  read.insert(read.end(), quality.train.begin(), quality.train.end());
  LLMROUTE_CHECK(check_read_once(read));
  if (quality.robust) LLMROUTE_CHECK(check_read_again(options.files));
  if (quality.baseline) read.push_back(*quality.baseline);
  LLMROUTE_CHECK(check_apart({quality.plot}, read));
  if (quality.unseen && quality.folds == 0 && !quality.groups) {
    return base::Error{base::ErrorKind::kUsage,
                       "bench: --unseen goes with --folds or --groups"};
  }
  if (quality.train.empty() || (quality.folds == 0 && !quality.groups)) {
    return {};
  }
  return base::Error{base::ErrorKind::kUsage,
                     "bench: --train says what to fit to; --folds and "
                     "--groups fit to the files themselves"};
}

base::Result<ExitStatus> bench_files(const BenchOptions& options,
                                     const core::Config& config,
                                     const analyzer::Analyzer& analyzer,
                                     BenchStatus& status) {
  LLMROUTE_TRY(const BenchReport report,
               measure_quality(options, config, analyzer, status));
  const std::vector<Figure> figures = figures_of(report);
  std::vector<Change> changes;
  if (options.quality.baseline) {
    LLMROUTE_TRY(changes, changes_since(*options.quality.baseline, figures));
  }
  LLMROUTE_CHECK(print_report(options.format == Format::kJson
                                  ? bench_json(report, changes)
                                  : text_of(options, report, changes),
                              options.quality.plot == "-", options.messages));
  if (options.quality.plot) {
    LLMROUTE_CHECK(
        write_result(*options.quality.plot, charts_svg(charts_of(report))));
  }
  return passes(options, report) ? ExitStatus::kOk : ExitStatus::kNegative;
}

}  // namespace

base::Result<ExitStatus> bench(const BenchOptions& options,
                               const base::Environment& environment) {
  LLMROUTE_CHECK(check(options));
  LLMROUTE_TRY(const core::Config config,
               config::load(options.config, environment));
  LLMROUTE_TRY(const analyzer::Analyzer analyzer,
               chosen_analyzer(options, config));
  const Messages messages(options.messages);
  BenchStatus status(messages);
  if (!options.files.empty()) {
    return bench_files(options, config, analyzer, status);
  }
  status.begin("measuring the speed of this build");
  LLMROUTE_TRY(const SpeedReport report,
               options.speed
                   ? measure_lines(*options.speed, analyzer, options.seconds)
                   : measure_speed(config, analyzer, options.seconds));
  LLMROUTE_CHECK(print_document(options.format == Format::kJson
                                    ? speed_json(report)
                                    : speed_text(report)));
  return ExitStatus::kOk;
}

}  // namespace llmroute::app
