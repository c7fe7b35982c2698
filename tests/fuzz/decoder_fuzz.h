// What the targets of the protocols share: a response decoded twice, whole and
// cut in two, must give the same result; the answer is valid UTF-8.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/utf8.h"
#include "provider/exchange.h"

namespace llmroute::provider {

inline std::string outcome_of(Decoder& decoder, std::string_view first,
                              std::string_view second) {
  std::string text;
  const TextSink sink = [&text](std::string_view piece) {
    text += piece;
    return true;
  };
  Exchange exchange(decoder, sink);
  bool more = exchange.on_head({200, {}});
  if (!first.empty()) {
    more = more && exchange.on_body(first) && exchange.on_pause();
  }
  if (!second.empty()) more = more && exchange.on_body(second);
  const CallResult result = exchange.finish(std::nullopt);
  if (base::find_invalid_utf8(text)) std::abort();
  if (const auto* failure = std::get_if<core::Failure>(&result)) {
    return text + "|failed|" + failure->cause + "|" + failure->message;
  }
  const auto& reply = std::get<core::Reply>(result);
  if (reply.text != text) std::abort();
  for (const core::ToolCall& call : reply.tool_calls) {
    if (call.name.empty() || base::find_invalid_utf8(call.arguments)) {
      std::abort();
    }
    text += "|" + call.id + "|" + call.name + "|" + call.arguments;
  }
  return text + "|" + std::string(core::finish_name(reply.finish)) + "|" +
         std::to_string(reply.usage.input.value_or(-1)) + "|" +
         std::to_string(reply.usage.output.value_or(-1));
}

template <class ProtocolDecoder>
void check_decoder(const uint8_t* data, size_t size) {
  if (size == 0) return;
  const std::string_view body(reinterpret_cast<const char*>(data + 1),
                              size - 1);
  const size_t cut = body.empty() ? 0 : data[0] % body.size();
  ProtocolDecoder whole, parts;
  if (outcome_of(whole, body, "") !=
      outcome_of(parts, body.substr(0, cut), body.substr(cut))) {
    std::abort();
  }
}

}  // namespace llmroute::provider
