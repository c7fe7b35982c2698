#include "core/model.h"

#include <numeric>

namespace llmroute::core {

std::string_view protocol_name(Protocol protocol) {
  switch (protocol) {
    case Protocol::kOpenAiChat:
      return "openai-chat";
    case Protocol::kOpenAiResponses:
      return "openai-responses";
    case Protocol::kAnthropic:
      return "anthropic";
    case Protocol::kGemini:
      return "gemini";
    case Protocol::kOllama:
      return "ollama";
    case Protocol::kExec:
      return "exec";
  }
  return "";
}

double Model::general_ability() const {
  return std::accumulate(ability.begin(), ability.end(), 0.0) /
         static_cast<double>(ability.size());
}

const Price& Model::price_for(int64_t input_tokens) const {
  const Price* chosen = &price;
  for (const PriceTier& step : price_tiers) {
    if (input_tokens > step.above_input_tokens) chosen = &step.price;
  }
  return *chosen;
}

}  // namespace llmroute::core
