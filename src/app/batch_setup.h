// What a batch's options mean before it begins: shards, templates, limits.
#pragma once

#include <cstdint>
#include <string>

#include "app/options.h"
#include "base/environment.h"
#include "base/result.h"
#include "batch/input_lines.h"
#include "batch/record.h"

namespace llmroute::app {

// With the system text read, `--shard auto` looked up and the ceiling divided
// by the shards. Options that exclude each other, or a shard that does not
// exist: kUsage.
base::Result<BatchOptions> settle_options(BatchOptions options,
                                          const base::Environment& environment);

// The limits of one request: the ceiling is the whole batch's and not among
// them.
LimitOptions request_limits(const BatchOptions& options);

base::Result<batch::InputLines> open_lines(const BatchInputOptions& input);
base::Result<batch::RecordParser> record_parser(const BatchInputOptions& input,
                                                bool keep_input);

// How many shards there are; 1 without any.
int64_t shards_of(const BatchInputOptions& input);

// Where nameless files may be made: beside the output, else TMPDIR or /tmp.
std::string scratch_directory(const BatchOutputOptions& output);

}  // namespace llmroute::app
