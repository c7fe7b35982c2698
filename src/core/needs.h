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

// "json" and "tools", which are tags; "tool_choice" and "parallel_tool_calls",
// which are not.
std::vector<std::string> needs_of(const Parameters& parameters);

// Whether a protocol can say it; nothing: the need is a tag. Ollama knows no
// choice of tools, Gemini cannot be held to one call.
std::optional<bool> can_say(Protocol protocol, std::string_view need);

}  // namespace llmroute::core
