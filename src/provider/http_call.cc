#include "provider/http_call.h"

#include <memory>
#include <string>

#include "base/text.h"
#include "base/url.h"
#include "provider/anthropic.h"
#include "provider/gemini.h"
#include "provider/ollama.h"
#include "provider/openai_chat.h"
#include "provider/openai_responses.h"

namespace llmroute::provider {
namespace {

using core::Failure;
using core::FailureClass;

std::unique_ptr<Decoder> make_decoder(const core::Provider& provider) {
  switch (provider.protocol) {
    case core::Protocol::kAnthropic:
      return std::make_unique<AnthropicDecoder>();
    case core::Protocol::kGemini:
      return std::make_unique<GeminiDecoder>();
    case core::Protocol::kOllama:
      return std::make_unique<OllamaDecoder>();
    case core::Protocol::kOpenAiResponses:
      return std::make_unique<OpenAiResponsesDecoder>();
    case core::Protocol::kOpenAiChat:
    case core::Protocol::kExec:
      break;
  }
  return std::make_unique<OpenAiChatDecoder>(provider.reported_cost);
}

// The last line of defence: the configuration refuses this too.
std::optional<Failure> key_in_clear(const Call& call,
                                    const HttpRequest& request) {
  if (call.key.empty() || request.url.starts_with("https://")) {
    return std::nullopt;
  }
  // Without the path, which may hold what a base URL may not.
  const size_t path = request.url.find('/', request.url.find("://") + 3);
  const auto url = base::parse_url(request.url.substr(0, path));
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
    case core::Protocol::kGemini:
      return gemini_request(call);
    case core::Protocol::kOllama:
      return ollama_request(call);
    case core::Protocol::kOpenAiResponses:
      return openai_responses_request(call);
    case core::Protocol::kOpenAiChat:
    case core::Protocol::kExec:
      break;
  }
  return openai_chat_request(call);
}

HttpCall::HttpCall(const Call& call, const TextSink& on_text)
    : call_(call), on_text_(on_text) {}

std::optional<CallResult> HttpCall::begin() {
  known_ = refused_parameters(call_);
  request_ = http_request(call_);
  if (auto failure = key_in_clear(call_, request_)) return *failure;
  decoder_ = make_decoder(call_.provider);
  exchange_.emplace(*decoder_, on_text_);
  return std::nullopt;
}

std::optional<CallResult> HttpCall::ended(std::optional<Failure> transport) {
  CallResult result = exchange_->finish(std::move(transport));
  auto* failure = std::get_if<Failure>(&result);
  if (failure == nullptr) return result;
  // Refused to another call in the meantime, it is still news to this one.
  const std::string refused = exchange_->refused_parameter();
  if (failure->kind == FailureClass::kOurFault &&
      adaptations_ < kMaxAdaptations && !known_.dropped(refused) &&
      remember_refused(call_, refused)) {
    ++adaptations_;
    return begin();
  }
  name_the_key(call_, *failure);
  return result;
}

CallResult http_call(const Call& call, const TextSink& on_text,
                     Transport& transport) {
  HttpCall http(call, on_text);
  auto result = http.begin();
  while (!result) {
    result = http.ended(transport.send(http.request(), http.receiver()));
  }
  return *std::move(result);
}

}  // namespace llmroute::provider
