#include "core/needs.h"

#include <algorithm>

namespace llmroute::core {
namespace {

constexpr std::string_view kTools = "tools";
constexpr std::string_view kChoice = "tool_choice";
constexpr std::string_view kParallel = "parallel_tool_calls";
constexpr std::string_view kResults = "tool_results";

bool has_tools(const std::vector<std::string>& tags) {
  return std::find(tags.begin(), tags.end(), kTools) != tags.end();
}

}  // namespace

std::vector<std::string> needs_of(const Prompt& prompt) {
  const Parameters& asked = prompt.parameters;
  const bool results = prompt.has_calls();
  std::vector<std::string> needs;
  if (!asked.schema.empty()) needs.emplace_back("json");
  if (asked.may_call() || results) needs.emplace_back(kTools);
  if (results) needs.emplace_back(kResults);
  if (!asked.may_call()) return needs;
  const ToolChoice& choice = asked.tool_choice;
  if (choice.kind != ToolChoice::Kind::kAuto) needs.emplace_back(kChoice);
  if (!choice.parallel) needs.emplace_back(kParallel);
  return needs;
}

std::optional<bool> can_say(Protocol protocol, std::string_view need) {
  const bool command = protocol == Protocol::kExec;
  const bool choice = protocol != Protocol::kOllama && !command;
  if (need == kChoice) return choice;
  if (need == kParallel) return choice && protocol != Protocol::kGemini;
  if (need == kResults) return !command;
  return std::nullopt;
}

bool tells_tools(const Model& model, const Provider& provider,
                 const Parameters& parameters) {
  if (parameters.tools.empty() || parameters.may_call()) {
    return parameters.may_call();
  }
  return can_say(provider.protocol, kChoice).value_or(false) &&
         (has_tools(model.tags) || has_tools(provider.tags));
}

}  // namespace llmroute::core
