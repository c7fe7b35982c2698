#include "provider/openai_chat.h"

#include <fmt/format.h>

#include <utility>

#include "base/json_writer.h"
#include "core/finish_reason.h"
#include "provider/parameter_memory.h"
#include "provider/request_body.h"
#include "provider/request_headers.h"
#include "provider/tools.h"

namespace llmroute::provider {
namespace {

using core::Finish;

std::string token_limit_field(const Call& call) {
  if (!call.model.token_limit_field.empty()) {
    return call.model.token_limit_field;
  }
  if (!call.provider.token_limit_field.empty()) {
    return call.provider.token_limit_field;
  }
  return "max_tokens";
}

void set_parameters(const Call& call, RequestBody& body) {
  const core::Parameters& parameters = call.prompt.parameters;
  const RefusedParameters refused = refused_parameters(call);
  if (call.output_cap > 0) {
    body.set_number(refused.renamed(token_limit_field(call)), call.output_cap);
  }
  auto wanted = [&refused](std::string_view name) {
    return !refused.dropped(name);
  };
  if (parameters.temperature && call.model.accepts_temperature &&
      wanted("temperature")) {
    body.set_number("temperature", *parameters.temperature);
  }
  if (!parameters.stop.empty() && wanted("stop")) {
    body.set_texts("stop", parameters.stop);
  }
  const std::string& seed = call.provider.seed_field;
  if (parameters.seed && !seed.empty() && wanted(seed)) {
    body.set_number(seed, *parameters.seed);
  }
  if (call.stream) {
    body.set_flag("stream", true);
    if (call.provider.stream_usage && wanted("stream_options")) {
      body.set("stream_options", R"({"include_usage":true})");
    }
  }
}

// The answer part of `content`: a string, or a list of parts of which only text
// is shown.
void append_content(const Json& content, std::string& out) {
  out += content.text();
  for (const Json& part : content.items()) {
    if (part["type"].text() == "text") out += part["text"].text();
  }
}

// What there was before tool_calls: one call, in pieces.
void take_function_call(const Json& piece, Answer& answer) {
  if (!piece.is_object()) return;
  core::ToolCall& call = answer.tool_calls.at(0);
  if (piece.has("name")) call.name = piece["name"].text();
  call.arguments += arguments_of(piece["arguments"]);
}

bool has_reasoning(const Json& message) {
  for (const char* name : {"reasoning_content", "reasoning", "thinking"}) {
    if (!message[name].text().empty()) return true;
  }
  return false;
}

// Choice 0: by its index where given, else the first.
const Json& first_choice(const Json& body) {
  const Json& choices = body["choices"];
  for (const Json& choice : choices.items()) {
    if (choice["index"].count().value_or(0) == 0) return choice;
  }
  return choices.at(choices.items().size());
}

// The deployment decides which model answers.
std::string azure_url(const Call& call) {
  std::string_view base = call.provider.base_url;
  if (base.ends_with("/openai")) base.remove_suffix(7);
  return fmt::format("{}/openai/deployments/{}/chat/completions?api-version={}",
                     base, url_path(call.model.id), call.provider.api_version);
}

}  // namespace

HttpRequest openai_chat_request(const Call& call) {
  RequestBody body;
  body.set_text("model", call.model.id)
      .set("messages", chat_messages_json(call.prompt));
  set_parameters(call, body);
  for (auto& [name, json] :
       chat_form(call.model, call.provider, call.prompt.parameters)) {
    body.set(name, std::move(json));
  }
  body.set_extra(call.prompt.parameters);
  HttpRequest request;
  const bool azure = !call.provider.api_version.empty();
  request.url = azure ? azure_url(call)
                      : join_url(call.provider.base_url, "/v1",
                                 "/chat/completions", true);
  add_key(call, azure ? "api-key" : "Authorization", request);
  request.body = body.text();
  return with_common_headers(call, std::move(request));
}

namespace {

// xAI and Gemini leave reasoning out of completion_tokens, not of the total;
// xAI may leave what was cached out of prompt_tokens. What is neither is a
// contradiction. REQUIRES: usage.complete().
void read_dearest(std::optional<int64_t> total, core::Usage& usage) {
  if (usage.cached_input > *usage.input) *usage.input += usage.cached_input;
  if (!total) return;
  const int64_t sum = *usage.input + *usage.output;
  usage.contradictory = *total != sum && *total != sum + usage.reasoning;
  if (*total > sum) *usage.output = *total - *usage.input;
}

}  // namespace

core::Usage openai_usage(const Json& usage) {
  core::Usage result;
  // Chat completions and Responses have names of their own for the same.
  const bool chat =
      usage.has("prompt_tokens") || usage.has("completion_tokens");
  const auto named = [&usage, chat](const char* in_chat,
                                    const char* in_responses) -> const Json& {
    return usage[chat ? in_chat : in_responses];
  };
  result.input = named("prompt_tokens", "input_tokens").count();
  result.output = named("completion_tokens", "output_tokens").count();
  const Json& input_details =
      named("prompt_tokens_details", "input_tokens_details");
  result.cached_input = input_details["cached_tokens"].count().value_or(
      usage["prompt_cache_hit_tokens"].count().value_or(0));
  result.cache_write = input_details["cache_write_tokens"].count().value_or(0);
  result.reasoning = named("completion_tokens_details",
                           "output_tokens_details")["reasoning_tokens"]
                         .count()
                         .value_or(0);
  if (!result.complete()) return result;
  read_dearest(usage["total_tokens"].count(), result);
  return result;
}

void OpenAiChatDecoder::take_common(const Json& body, Answer& answer) {
  if (!body["model"].text().empty()) {
    answer.served_model = body["model"].text();
  }
  const Json& usage =
      body.has("usage") ? body["usage"] : body["x_groq"]["usage"];
  if (!usage.is_object()) return;
  answer.usage = openai_usage(usage);
  const auto cost = usage["cost"].number();
  // With the user's own key at the upstream, only its fee is in the cost.
  if (reported_cost_ && cost && !usage["is_byok"].is_true()) {
    answer.usage.charged = core::from_usd(*cost);
  }
}

void OpenAiChatDecoder::take_message(const Json& message, Answer& answer) {
  const size_t before = answer.text.size();
  append_content(message["content"], answer.text);
  const std::string_view refusal = message["refusal"].text();
  if (!refusal.empty()) {
    refused_ = true;
    answer.text += refusal;
  }
  for (const Json& call : message["tool_calls"].items()) {
    answer.tool_calls.take_chat_piece(call);
  }
  take_function_call(message["function_call"], answer);
  if (answer.text.size() > before || has_reasoning(message) ||
      !message["content"].items().empty() || !answer.tool_calls.empty()) {
    answer.has_content = true;
  }
}

void OpenAiChatDecoder::take_finish(const Json& choice, Answer& answer) {
  const std::string_view reason = choice["finish_reason"].text();
  if (reason.empty()) return;
  if (reason == "error" || reason == "insufficient_system_resource") {
    answer.error = read_error(choice);
    answer.error->type = reason;
    if (answer.error->message.empty()) {
      answer.error->message = "the provider broke off";
    }
    return;
  }
  answer.finish = core::finish_of(reason);
  answer.may_end = true;
}

void OpenAiChatDecoder::on_event(const Json& event, bool unterminated,
                                 Answer& answer) {
  const Json& choice = first_choice(event);
  if (unterminated && choice["finish_reason"].text().empty()) return;
  take_common(event, answer);
  if (choice.is_null()) return;
  choice_seen_ = true;
  take_message(choice[choice.has("delta") ? "delta" : "message"], answer);
  take_finish(choice, answer);
  if (refused_ && answer.finish == Finish::kStop) {
    answer.finish = Finish::kRefusal;
  }
}

void OpenAiChatDecoder::on_done(Answer& answer) {
  if (choice_seen_) {
    answer.complete = true;
  } else {
    answer.nonsense = "the stream ended without a choice";
  }
}

void OpenAiChatDecoder::on_document(const Json& document, Answer& answer) {
  on_event(document, false, answer);
  if (!choice_seen_) {
    answer.nonsense = "the reply holds no choice";
  } else if (!answer.error) {
    answer.complete = true;
  }
}

}  // namespace llmroute::provider
