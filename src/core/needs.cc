#include "core/needs.h"

namespace llmroute::core {
namespace {

constexpr std::string_view kChoice = "tool_choice";
constexpr std::string_view kParallel = "parallel_tool_calls";

}  // namespace

std::vector<std::string> needs_of(const Parameters& parameters) {
  std::vector<std::string> needs;
  if (!parameters.schema.empty()) needs.emplace_back("json");
  if (parameters.tools.empty()) return needs;
  needs.emplace_back("tools");
  const ToolChoice& choice = parameters.tool_choice;
  if (choice.kind != ToolChoice::Kind::kAuto) needs.emplace_back(kChoice);
  if (!choice.parallel) needs.emplace_back(kParallel);
  return needs;
}

std::optional<bool> can_say(Protocol protocol, std::string_view need) {
  const bool choice =
      protocol != Protocol::kOllama && protocol != Protocol::kExec;
  if (need == kChoice) return choice;
  if (need == kParallel) return choice && protocol != Protocol::kGemini;
  return std::nullopt;
}

}  // namespace llmroute::core
