// The report of `bench` on files, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "app/bench_figures.h"
#include "app/bench_report.h"

namespace llmroute::app {

// About a screen a study; tables of datasets are cut, --json has all of them.
std::string bench_text(const BenchReport& report);

// One object, schema "llmroute.bench/1"; fields are only ever added. What could
// not be measured is null.
std::string bench_json(const BenchReport& report,
                       const std::vector<Change>& changes);

// What differs from an earlier report; a line says so if nothing does.
std::string changes_text(const std::vector<Change>& changes,
                         const std::string& path);

}  // namespace llmroute::app
