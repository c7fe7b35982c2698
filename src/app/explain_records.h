// explain of many records: a line of JSON for each decision, or with --diff
// what another configuration would decide otherwise.
#pragma once

#include <vector>

#include "app/expectation.h"
#include "app/messages.h"
#include "app/options.h"
#include "base/environment.h"
#include "base/result.h"
#include "core/exit_status.h"

namespace llmroute::app {

// Records as `batch` reads them, from the files of -f or stdin. One that cannot
// be decided has an error in its place; then, or if an expectation does not
// hold, the status is kNegative.
base::Result<core::ExitStatus> explain_records(
    const ExplainOptions& options, const std::vector<Expectation>& expectations,
    const base::Environment& environment, const Messages& messages);

}  // namespace llmroute::app
