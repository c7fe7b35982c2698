#include "provider/http_call.h"

#include <memory>

#include "base/text.h"
#include "base/url.h"
#include "provider/anthropic.h"
#include "provider/exchange.h"
#include "provider/ollama.h"
#include "provider/openai_chat.h"
#include "provider/parameter_memory.h"

namespace llmroute::provider {
namespace {

using core::Failure;
using core::FailureClass;

std::unique_ptr<Decoder> make_decoder(core::Protocol protocol) {
  switch (protocol) {
    case core::Protocol::kAnthropic:
      return std::make_unique<AnthropicDecoder>();
    case core::Protocol::kOllama:
      return std::make_unique<OllamaDecoder>();
    case core::Protocol::kOpenAiChat:
    case core::Protocol::kExec:
      break;
  }
  return std::make_unique<OpenAiChatDecoder>();
}

// The last line of defence: the configuration refuses this too.
std::optional<Failure> key_in_clear(const Call& call,
                                    const HttpRequest& request) {
  if (call.key.empty() || request.url.starts_with("https://")) {
    return std::nullopt;
  }
  const auto url = base::parse_url(request.url);
  if (url && url->is_loopback()) return std::nullopt;
  Failure failure;
  failure.kind = FailureClass::kNotAllowed;
  failure.cause = "key over plain http";
  failure.message = "a key is never sent over plain http: use https";
  return failure;
}

void name_the_key(const Call& call, Failure& failure) {
  if (failure.http_status != 401 || call.provider.key_env.empty()) return;
  failure.message +=
      " (check " + base::join(call.provider.key_env, " or ") + ")";
}

}  // namespace

HttpRequest http_request(const Call& call) {
  switch (call.provider.protocol) {
    case core::Protocol::kAnthropic:
      return anthropic_request(call);
    case core::Protocol::kOllama:
      return ollama_request(call);
    case core::Protocol::kOpenAiChat:
    case core::Protocol::kExec:
      break;
  }
  return openai_chat_request(call);
}

CallResult http_call(const Call& call, const TextSink& on_text,
                     Transport& transport) {
  for (int adaptations = 0;; ++adaptations) {
    const HttpRequest request = http_request(call);
    if (auto failure = key_in_clear(call, request)) return *failure;
    const auto decoder = make_decoder(call.provider.protocol);
    Exchange exchange(*decoder, on_text);
    CallResult result = exchange.finish(transport.send(request, exchange));
    auto* failure = std::get_if<Failure>(&result);
    if (failure == nullptr) return result;
    if (failure->kind == FailureClass::kOurFault &&
        adaptations < kMaxAdaptations &&
        remember_refused(call, exchange.refused_parameter())) {
      continue;
    }
    name_the_key(call, *failure);
    return result;
  }
}

}  // namespace llmroute::provider
