// What a request needs of whoever is asked, in the words of
// RoutingOptions::require: tags of a model, or what its protocol can say.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/model.h"
#include "core/prompt.h"

namespace llmroute::core {

// "json" and "tools", which are tags; "tool_choice", "parallel_tool_calls" and
// "tool_results" (calls among the messages), which are not. Tools that are not
// to be called need nothing: whoever cannot be told so is not told of them.
std::vector<std::string> needs_of(const Prompt& prompt);

// Whether a protocol can say it; nothing: the need is a tag. Ollama knows no
// choice of tools, Gemini cannot be held to one call; a command reads text.
std::optional<bool> can_say(Protocol protocol, std::string_view need);

// Whether the model is told of the tools: not if none may be called and it
// could not be told that, or knows no tools.
bool tells_tools(const Model& model, const Provider& provider,
                 const Parameters& parameters);

}  // namespace llmroute::core
