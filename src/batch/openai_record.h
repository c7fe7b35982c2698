// A line of an OpenAI batch file: {"custom_id","method","url","body"}, where
// the body is that of /v1/chat/completions or of /v1/responses.
//
// What is known goes to the prompt and its parameters, `stream` is dropped,
// what would need another kind of answer (n > 1, images) is refused, and every
// other number, string, flag or object is sent on as it is.
#pragma once

#include "batch/json_line.h"
#include "batch/record.h"
#include "batch/record_error.h"

namespace llmroute::batch {

Fault read_openai(const JsonNode& root, bool ignore_unknown, Record& record);

}  // namespace llmroute::batch
