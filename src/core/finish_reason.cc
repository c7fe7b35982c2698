#include "core/finish_reason.h"

#include <algorithm>
#include <array>
#include <utility>

namespace llmroute::core {
namespace {

constexpr std::array<std::pair<std::string_view, Finish>, 22> kReasons = {
    {{"stop", Finish::kStop},
     {"STOP", Finish::kStop},
     {"eos", Finish::kStop},
     {"eos_token", Finish::kStop},
     {"end_turn", Finish::kStop},
     {"stop_sequence", Finish::kStop},
     {"length", Finish::kLength},
     {"max_tokens", Finish::kLength},
     {"MAX_TOKENS", Finish::kLength},
     {"model_length", Finish::kLength},
     {"model_context_window_exceeded", Finish::kLength},
     {"content_filter", Finish::kFilter},
     {"SAFETY", Finish::kFilter},
     {"RECITATION", Finish::kFilter},
     {"LANGUAGE", Finish::kFilter},
     {"BLOCKLIST", Finish::kFilter},
     {"PROHIBITED_CONTENT", Finish::kFilter},
     {"SPII", Finish::kFilter},
     {"refusal", Finish::kRefusal},
     {"tool_calls", Finish::kToolCalls},
     {"function_call", Finish::kToolCalls},
     {"tool_use", Finish::kToolCalls}}};

}  // namespace

Finish finish_of(std::string_view reason) {
  const auto* found =
      std::find_if(kReasons.begin(), kReasons.end(),
                   [reason](const auto& row) { return row.first == reason; });
  if (found != kReasons.end()) return found->second;
  // "content_filter: RECITATION", "IMAGE_SAFETY"
  const bool filtered =
      reason.starts_with("content_filter") || reason.starts_with("IMAGE_");
  return filtered ? Finish::kFilter : Finish::kOther;
}

}  // namespace llmroute::core
