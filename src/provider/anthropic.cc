#include "provider/anthropic.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/json_writer.h"
#include "base/text.h"
#include "provider/parameter_memory.h"
#include "provider/request_body.h"
#include "provider/request_headers.h"

namespace llmroute::provider {
namespace {

using core::Finish;

constexpr int64_t kUnknownOutputLimit = 4096;  // every model accepts it

// Text blocks must not be blank.
std::string messages_json(const core::Prompt& prompt) {
  base::JsonWriter json;
  json.begin_array();
  for (const core::Message& one : prompt.messages) {
    if (base::trim(one.text).empty()) continue;
    json.begin_object()
        .field("role", one.role == core::Role::kUser ? "user" : "assistant")
        .field("content", one.text)
        .end_object();
  }
  return json.end_array().take();
}

int64_t output_limit(const Call& call) {
  if (call.output_cap > 0) return call.output_cap;
  return call.model.max_output_tokens.value_or(kUnknownOutputLimit);
}

void set_parameters(const Call& call, RequestBody& body) {
  const core::Parameters& parameters = call.prompt.parameters;
  const RefusedParameters refused = refused_parameters(call);
  if (parameters.temperature && call.model.accepts_temperature &&
      !refused.dropped("temperature")) {
    body.set_number("temperature", *parameters.temperature);
  }
  if (!parameters.stop.empty()) {
    body.set_texts("stop_sequences", parameters.stop);
  }
  if (call.stream) body.set_flag("stream", true);
}

Finish finish_of(std::string_view reason) {
  constexpr std::array<std::pair<std::string_view, Finish>, 6> kFinishes = {
      {{"end_turn", Finish::kStop},
       {"stop_sequence", Finish::kStop},
       {"max_tokens", Finish::kLength},
       {"model_context_window_exceeded", Finish::kLength},
       {"tool_use", Finish::kToolCalls},
       {"refusal", Finish::kRefusal}}};
  const auto* found =
      std::find_if(kFinishes.begin(), kFinishes.end(),
                   [reason](const auto& row) { return row.first == reason; });
  return found == kFinishes.end() ? Finish::kOther : found->second;
}

}  // namespace

HttpRequest anthropic_request(const Call& call) {
  RequestBody body;
  body.set_text("model", call.model.id)
      .set_number("max_tokens", output_limit(call));
  if (!base::trim(call.prompt.system).empty()) {
    body.set_text("system", call.prompt.system);
  }
  body.set("messages", messages_json(call.prompt));
  set_parameters(call, body);
  body.set_extra(call.prompt.parameters);
  HttpRequest request;
  request.url = join_url(call.provider.base_url, "/v1", "/messages", false);
  add_key(call, "x-api-key", request);
  request.headers.emplace_back("anthropic-version", "2023-06-01");
  request.body = body.text();
  return with_common_headers(call, std::move(request));
}

// Counts are cumulative and may be corrected later: the last one said counts.
void AnthropicDecoder::take_usage(const Json& usage, Answer& answer) {
  if (!usage.is_object()) return;
  const auto input = usage["input_tokens"].count();
  input_ = input.value_or(input_);
  cache_write_ =
      usage["cache_creation_input_tokens"].count().value_or(cache_write_);
  cache_read_ = usage["cache_read_input_tokens"].count().value_or(cache_read_);
  core::Usage& result = answer.usage;
  if (input || result.input) {
    result.input = input_ + cache_write_ + cache_read_;
  }
  result.cached_input = cache_read_;
  result.cache_write = cache_write_;
  const auto output = usage["output_tokens"].count();
  if (output) result.output = output;
  result.reasoning =
      usage["output_tokens_details"]["thinking_tokens"].count().value_or(
          result.reasoning);
}

void AnthropicDecoder::start(const Json& message, Answer& answer) {
  if (started_) {
    answer.nonsense = "the stream starts a second message";
    return;
  }
  started_ = true;
  answer.served_model = message["model"].text();
  take_usage(message["usage"], answer);
  answer.usage.output.reset();  // a placeholder until the end
}

void AnthropicDecoder::take_delta(const Json& delta, Answer& answer) {
  if (delta["type"].text() == "text_delta") answer.text += delta["text"].text();
  answer.has_content = true;
}

void AnthropicDecoder::take_stop_reason(const Json& holder, Answer& answer) {
  const std::string_view reason = holder["stop_reason"].text();
  if (!reason.empty()) answer.finish = finish_of(reason);
}

void AnthropicDecoder::on_event(const Json& event, bool unterminated,
                                Answer& answer) {
  const std::string_view type = event["type"].text();
  if (type == "message_stop") {
    answer.complete = true;
  } else if (unterminated) {
    return;
  } else if (type == "message_start") {
    start(event["message"], answer);
  } else if (type == "content_block_start") {
    const Json& block = event["content_block"];
    if (block["type"].text() == "text") answer.text += block["text"].text();
    if (!answer.text.empty()) answer.has_content = true;
  } else if (type == "content_block_delta") {
    take_delta(event["delta"], answer);
  } else if (type == "message_delta") {
    take_stop_reason(event["delta"], answer);
    take_usage(event["usage"], answer);
  }
}

void AnthropicDecoder::on_document(const Json& document, Answer& answer) {
  if (!document["content"].is_array()) {
    answer.nonsense = "the reply holds no content";
    return;
  }
  for (const Json& block : document["content"].items()) {
    if (block["type"].text() == "text") answer.text += block["text"].text();
  }
  answer.served_model = document["model"].text();
  take_stop_reason(document, answer);
  take_usage(document["usage"], answer);
  answer.complete = true;
}

}  // namespace llmroute::provider
