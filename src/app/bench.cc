#include "app/bench.h"

#include "analyzer/analyzer.h"
#include "app/bench_quality.h"
#include "app/bench_speed.h"
#include "app/output.h"
#include "config/load.h"

namespace llmroute::app {
namespace {

base::Result<analyzer::Analyzer> chosen_analyzer(const core::Config& config) {
  if (config.router_model_file.empty()) {
    return analyzer::Analyzer::embedded();
  }
  return analyzer::Analyzer::load(config.router_model_file);
}

}  // namespace

base::Result<core::ExitStatus> bench(const BenchOptions& options,
                                     const base::Environment& environment) {
  const bool json = options.format == Format::kJson;
  LLMROUTE_TRY(const core::Config config,
               config::load({options.config.file, options.config.no_config},
                            environment));
  LLMROUTE_TRY(const analyzer::Analyzer analyzer, chosen_analyzer(config));
  if (options.files.empty()) {
    LLMROUTE_TRY(const SpeedReport report,
                 measure_speed(config, analyzer, options.seconds));
    LLMROUTE_CHECK(
        print_document(json ? speed_json(report) : speed_text(report)));
  } else {
    LLMROUTE_TRY(const QualityReport report,
                 measure_quality(options.files, config, analyzer));
    LLMROUTE_CHECK(
        print_document(json ? quality_json(report) : quality_text(report)));
  }
  return core::ExitStatus::kOk;
}

}  // namespace llmroute::app
