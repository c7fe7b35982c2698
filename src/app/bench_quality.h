// How good the routing is on files of outcomes, as the literature measures it.
#pragma once

#include "analyzer/analyzer.h"
#include "app/bench_report.h"
#include "app/bench_status.h"
#include "app/options.h"
#include "base/result.h"
#include "core/config.h"

namespace llmroute::app {

// Rows whose outcomes are marked suspect or are preferences are left out.
// Errors: kNoInput; kData with file and line, or without any row of outcomes or
// labels; kUsage if --models names none of the files' models.
base::Result<BenchReport> measure_quality(const BenchOptions& options,
                                          const core::Config& config,
                                          const analyzer::Analyzer& analyzer,
                                          BenchStatus& status);

}  // namespace llmroute::app
