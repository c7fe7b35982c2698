// A native record: {"id":"row-17","prompt":"...","max_tokens":256,...}.
#pragma once

#include "batch/json_line.h"
#include "batch/record.h"
#include "batch/record_error.h"

namespace llmroute::batch {

Fault read_native(const JsonNode& root, bool ignore_unknown, Record& record);

}  // namespace llmroute::batch
