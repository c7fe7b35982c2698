#include "provider/gemini.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/json_text.h"
#include "base/json_writer.h"
#include "core/finish_reason.h"
#include "core/needs.h"
#include "provider/parameter_memory.h"
#include "provider/request_body.h"
#include "provider/request_headers.h"
#include "provider/tools.h"

namespace llmroute::provider {
namespace {

using core::Finish;

void write_parts(base::JsonWriter& json, std::string_view text) {
  json.key("parts").begin_array().begin_object();
  json.field("text", text).end_object().end_array();
}

std::string system_json(const std::string& system) {
  base::JsonWriter json;
  json.begin_object();
  write_parts(json, system);
  return json.end_object().take();
}

// Calls of a conversation that was held elsewhere have no signature of this
// model's thoughts; newer models ask for one with the first of a turn, or this.
constexpr std::string_view kNoSignature = "skip_thought_signature_validator";

void write_call_parts(base::JsonWriter& json, const core::Message& message) {
  json.key("parts").begin_array();
  if (!message.text.empty()) {
    json.begin_object().field("text", message.text).end_object();
  }
  for (const core::ToolCall& call : message.calls) {
    json.begin_object().key("functionCall").begin_object();
    json.field("name", call.name).key("args").raw(call.arguments).end_object();
    if (&call == message.calls.data()) {
      json.field("thoughtSignature", kNoSignature);
    }
    json.end_object();
  }
  json.end_array();
}

// An object as it is, anything else as the member of one.
void write_result_part(base::JsonWriter& json, const core::Message& message) {
  json.begin_object().key("functionResponse").begin_object();
  json.field("name", message.call_name).key("response");
  const auto read = base::read_json(message.text);
  if (read && read->root.is_object()) {
    base::write_json(json, read->root);
  } else {
    json.begin_object().field("output", message.text).end_object();
  }
  json.end_object().end_object();
}

// What the calls of a turn gave is one turn.
std::string contents_json(const core::Prompt& prompt) {
  base::JsonWriter json;
  json.begin_array();
  bool results = false;
  for (const core::Message& one : prompt.messages) {
    const bool result = one.role == core::Role::kTool;
    if (results && !result) json.end_array().end_object();
    if (!result || !results) {
      const bool answer = one.role == core::Role::kAssistant;
      json.begin_object().field("role", answer ? "model" : "user");
    }
    if (result) {
      if (!results) json.key("parts").begin_array();
      write_result_part(json, one);
    } else {
      one.calls.empty() ? write_parts(json, one.text)
                        : write_call_parts(json, one);
      json.end_object();
    }
    results = result;
  }
  if (results) json.end_array().end_object();
  return json.end_array().take();
}

std::string generation_config(const Call& call) {
  const core::Parameters& parameters = call.prompt.parameters;
  const RefusedParameters refused = refused_parameters(call);
  RequestBody config;
  if (call.output_cap > 0)
    config.set_number("maxOutputTokens", call.output_cap);
  if (parameters.temperature && call.model.accepts_temperature &&
      !refused.dropped("temperature")) {
    config.set_number("temperature", *parameters.temperature);
  }
  if (!parameters.stop.empty()) {
    config.set_texts("stopSequences", parameters.stop);
  }
  if (parameters.seed) config.set_number("seed", *parameters.seed);
  if (!parameters.schema.empty()) {
    config.set_text("responseMimeType", "application/json")
        .set("responseJsonSchema", parameters.schema);
  }
  return config.text();
}

std::string tools_json(const std::vector<core::Tool>& tools) {
  base::JsonWriter json;
  json.begin_array().begin_object().key("functionDeclarations").begin_array();
  for (const core::Tool& tool : tools) {
    json.begin_object();
    write_tool(json, tool, "parametersJsonSchema");
    json.end_object();
  }
  return json.end_array().end_object().end_array().take();
}

std::string tool_config(const core::ToolChoice& choice) {
  using Kind = core::ToolChoice::Kind;
  base::JsonWriter json;
  json.begin_object().key("functionCallingConfig").begin_object();
  json.field("mode", choice.kind == Kind::kNone ? "NONE" : "ANY");
  if (choice.kind == Kind::kNamed) {
    json.key("allowedFunctionNames").begin_array();
    json.value(choice.name).end_array();
  }
  return json.end_object().end_object().take();
}

// Ids are given with and without the kind of model before them.
std::string method_path(const Call& call) {
  std::string path = "/";
  if (call.model.id.find('/') == std::string::npos) path += "models/";
  path += url_path(call.model.id);
  return path +
         (call.stream ? ":streamGenerateContent?alt=sse" : ":generateContent");
}

// Candidate 0, by its index where given, else the first.
const Json& first_candidate(const Json& chunk) {
  const Json& candidates = chunk["candidates"];
  for (const Json& candidate : candidates.items()) {
    if (candidate["index"].count().value_or(0) == 0) return candidate;
  }
  return candidates.at(candidates.items().size());
}

}  // namespace

HttpRequest gemini_request(const Call& call) {
  RequestBody body;
  if (!call.prompt.system.empty()) {
    body.set("systemInstruction", system_json(call.prompt.system));
  }
  body.set("contents", contents_json(call.prompt));
  const std::string config = generation_config(call);
  if (config != "{}") body.set("generationConfig", config);
  const std::vector<core::Tool>& tools = call.prompt.parameters.tools;
  if (core::tells_tools(call.model, call.provider, call.prompt.parameters)) {
    body.set("tools", tools_json(tools));
    if (says_choice(call.prompt.parameters)) {
      body.set("toolConfig", tool_config(call.prompt.parameters.tool_choice));
    }
  }
  body.set_extra(call.prompt.parameters);
  HttpRequest request;
  request.url =
      join_url(call.provider.base_url, "/v1beta", method_path(call), true);
  add_key(call, "x-goog-api-key", request);
  request.body = body.text();
  return with_common_headers(call, std::move(request));
}

// Cumulative: the last one said counts. Thoughts are not among the candidates'
// tokens; counts that contradict the total are read the dearest way.
void GeminiDecoder::take_usage(const Json& usage, Answer& answer) {
  if (!usage.is_object()) return;
  core::Usage& result = answer.usage;
  const auto prompt = usage["promptTokenCount"].count();
  const auto candidates = usage["candidatesTokenCount"].count();
  const auto thoughts = usage["thoughtsTokenCount"].count();
  const auto total = usage["totalTokenCount"].count();
  result.input.reset();
  if (prompt) {
    result.input =
        *prompt + usage["toolUsePromptTokenCount"].count().value_or(0);
  }
  result.cached_input = usage["cachedContentTokenCount"].count().value_or(0);
  result.reasoning = thoughts.value_or(0);
  result.output.reset();
  if (candidates || thoughts) {
    result.output = candidates.value_or(0) + thoughts.value_or(0);
  }
  if (total && result.input && *total >= *result.input) {
    const int64_t rest = *total - *result.input;
    result.contradictory = result.output.value_or(rest) != rest;
    result.output = std::max(result.output.value_or(rest), rest);
  }
}

void GeminiDecoder::take_parts(const Json& parts, Answer& answer) {
  for (const Json& part : parts.items()) {
    answer.has_content = true;
    if (part.has("functionCall")) take_call(part["functionCall"], answer);
    if (!part["thought"].is_true()) answer.text += part["text"].text();
  }
}

// Always whole.
void GeminiDecoder::take_call(const Json& call, Answer& answer) {
  answer.tool_calls.add() = {std::string(call["id"].text()),
                             std::string(call["name"].text()),
                             arguments_of(call["args"])};
}

void GeminiDecoder::take_finish(std::string_view reason, Answer& answer) {
  constexpr std::array<std::string_view, 5> kBroken = {
      "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS",
      "NO_IMAGE", "OTHER"};
  if (std::find(kBroken.begin(), kBroken.end(), reason) != kBroken.end()) {
    answer.error = ErrorFacts();
    answer.error->type = reason;
    answer.error->message = "the model broke off";
    return;
  }
  answer.finish = core::finish_of(reason);
  answer.may_end = true;
}

void GeminiDecoder::on_event(const Json& event, bool unterminated,
                             Answer& answer) {
  const Json& candidate = first_candidate(event);
  const std::string_view finish = candidate["finishReason"].text();
  const std::string_view block = event["promptFeedback"]["blockReason"].text();
  if (unterminated && finish.empty() && block.empty()) return;
  const Json& usage = event["usageMetadata"];
  take_usage(usage, answer);
  if (!event["modelVersion"].text().empty()) {
    answer.served_model = event["modelVersion"].text();
  }
  take_parts(candidate["content"]["parts"], answer);
  if (!block.empty()) {
    answer.error = ErrorFacts();
    answer.error->moderated = true;
    answer.error->code = "content_filter";
    answer.error->message = "the prompt was blocked: " + std::string(block);
  } else if (!finish.empty()) {
    take_finish(finish, answer);
    // The chunk that ends the answer is the last if it counts the tokens.
    answer.complete = !answer.error && usage.is_object();
  }
}

void GeminiDecoder::on_document(const Json& document, Answer& answer) {
  if (document.is_array()) {
    for (const Json& chunk : document.items()) {
      if (answer.failed()) return;
      on_event(chunk, false, answer);
    }
  } else {
    on_event(document, false, answer);
  }
  if (answer.failed()) return;
  if (answer.may_end) {
    answer.complete = true;
  } else {
    answer.nonsense = "the reply holds no candidate that has ended";
  }
}

}  // namespace llmroute::provider
