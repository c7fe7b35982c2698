#include "core/reply.h"

#include <algorithm>

namespace llmroute::core {

std::optional<Money> cost_of(const Model& model, const Usage& usage) {
  if (usage.charged) return usage.charged;
  const bool free = model.price.input == Money{} &&
                    model.price.output == Money{} && model.price_tiers.empty();
  if (free) return Money{};  // whatever the counts are
  if (!usage.complete()) return std::nullopt;
  const Price& price = model.price_for(*usage.input);
  if (!price.input || !price.output) return std::nullopt;
  const int64_t plain = std::max<int64_t>(
      0, *usage.input - usage.cached_input - usage.cache_write);
  const int64_t reasoning = std::min(usage.reasoning, *usage.output);
  return *price.input * plain +
         price.cached_input.value_or(*price.input) * usage.cached_input +
         price.cache_write.value_or(*price.input) * usage.cache_write +
         *price.output * (*usage.output - reasoning) +
         price.reasoning.value_or(*price.output) * reasoning;
}

std::string_view finish_name(Finish finish) {
  switch (finish) {
    case Finish::kStop:
      return "stop";
    case Finish::kLength:
      return "length";
    case Finish::kFilter:
      return "filter";
    case Finish::kRefusal:
      return "refusal";
    case Finish::kToolCalls:
      return "tool_calls";
    case Finish::kOther:
      return "other";
  }
  return "";
}

std::string_view failure_class_name(FailureClass failure) {
  switch (failure) {
    case FailureClass::kTransient:
      return "transient";
    case FailureClass::kThrottled:
      return "throttled";
    case FailureClass::kNoMoney:
      return "no money";
    case FailureClass::kNotAllowed:
      return "not allowed";
    case FailureClass::kTooLong:
      return "too long";
    case FailureClass::kGone:
      return "gone";
    case FailureClass::kOurFault:
      return "refused";
    case FailureClass::kProtocol:
      return "protocol";
    case FailureClass::kCancelled:
      return "cancelled";
    case FailureClass::kLocal:
      return "local";
  }
  return "";
}

size_t Reply::bytes() const {
  size_t bytes = text.size();
  for (const ToolCall& call : tool_calls) bytes += call.bytes();
  return bytes;
}

}  // namespace llmroute::core
