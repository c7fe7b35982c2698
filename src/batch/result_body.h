// Answers of any provider as bodies of the OpenAI API.
#pragma once

#include <string>

#include "base/json_writer.h"
#include "batch/record.h"
#include "batch/result_line.h"

namespace llmroute::batch {

// A chat.completion, with id "chatcmpl-" + `ids`.
void write_chat_completion(base::JsonWriter& json, const Result& result,
                           const std::string& ids);

// A response, with id "resp_" + `ids`.
void write_response(base::JsonWriter& json, const Record& record,
                    const Result& result, const std::string& ids);

// The members "parallel_tool_calls" and "tool_choice", as a request of
// responses has them.
void write_tool_choice(base::JsonWriter& json, const core::ToolChoice& choice);

}  // namespace llmroute::batch
