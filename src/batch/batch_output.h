// A line of a result file of the OpenAI Batch API:
// {"custom_id","response":{"status_code","body":{...}},"error":null}, or
// "response":null with an error; order is not that of the requests. Or of
// Anthropic's Message Batches: {"custom_id","result":{"type":"succeeded",
// "message":{...}}}, or of another type.
#pragma once

#include <string>
#include <string_view>

#include "batch/json_line.h"
#include "batch/record_error.h"
#include "batch/result_line.h"

namespace llmroute::batch {

struct BatchOutput {
  std::string custom_id;
  Result result;  // reply or error, attempts, created; the rest is not said
};

// A fault: no such line.
Fault read_batch_output(std::string_view line, JsonLine& json,
                        BatchOutput& output);

}  // namespace llmroute::batch
