// The figures of an earlier report, as `bench --json` wrote it.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "base/result.h"

namespace llmroute::learning {

struct FiledFigure {
  std::string study, name;
  double value = 0;
  // NaN where it has no interval.
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
};

// Errors: kNoInput; kData if the file is no such report.
base::Result<std::vector<FiledFigure>> read_figures(const std::string& path);

}  // namespace llmroute::learning
