// The file of --tools: functions that a model may ask to be called, in the form
// of any of the vendors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/prompt.h"
#include "core/reply.h"

namespace llmroute::core {

// A JSON array of tools, each {"name","description","parameters","strict"}, the
// same under "function" beside "type":"function" (OpenAI), or with
// "input_schema" in place of "parameters" (Anthropic); null says nothing.
// kData: it is not; where (a JSON pointer) and why. What is not known is
// refused: not every protocol could pass it on.
base::Result<std::vector<Tool>> read_tools(std::string_view text);

// A call as one JSON object: "id" (null if the provider gives none), "name" and
// "arguments", an object; a string if the model wrote none.
std::string tool_call_json(const ToolCall& call);

}  // namespace llmroute::core
