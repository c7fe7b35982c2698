// The figures of a report by name, for --baseline and --fail-if.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/bench_report.h"
#include "app/options.h"
#include "base/result.h"

namespace llmroute::app {

struct Figure {
  std::string study;  // empty: of all rows
  std::string_view name;
  learning::Band band;
};
// Those that were measured.
std::vector<Figure> figures_of(const BenchReport& report);

// Anything but NAME, one of < <= > >=, and a number: kUsage.
base::Result<FailIf> parse_fail_if(std::string_view text);
// A line for each study in which it is true or was not measured, or one if no
// study has it.
std::vector<std::string> failures(const FailIf& fail_if,
                                  const BenchReport& report);

struct Change {
  std::string study, name;
  double before = learning::kUnknown, now = learning::kUnknown;
  bool better = false;  // than before, by more than rounding
  // Of each other's interval; nothing if one has none.
  std::optional<bool> outside = std::nullopt;
};
// Every figure beside that of an earlier --json report, then those that only
// the earlier one has. Errors: kNoInput; kData if the file is none, or if two
// of its studies have one name.
base::Result<std::vector<Change>> changes_since(
    const std::string& path, const std::vector<Figure>& figures);

}  // namespace llmroute::app
