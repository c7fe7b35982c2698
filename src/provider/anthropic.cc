#include "provider/anthropic.h"

#include <span>
#include <utility>

#include "base/json_writer.h"
#include "base/text.h"
#include "core/finish_reason.h"
#include "core/needs.h"
#include "provider/parameter_memory.h"
#include "provider/request_body.h"
#include "provider/request_headers.h"
#include "provider/tools.h"

namespace llmroute::provider {
namespace {

using core::Finish;

constexpr int64_t kUnknownOutputLimit = 4096;  // every model accepts it

using Turn = std::span<const core::Message>;

// What calls gave, up to the next answer, is one turn, and what the user says
// then belongs to it.
Turn next_turn(Turn messages) {
  size_t size = 1;
  while (size < messages.size() &&
         messages[size - 1].role == core::Role::kTool &&
         messages[size].role != core::Role::kAssistant) {
    ++size;
  }
  return messages.first(size);
}

// Text blocks must not be blank.
void write_blocks(base::JsonWriter& json, const core::Message& message) {
  const bool blank = base::trim(message.text).empty();
  if (message.role == core::Role::kTool) {
    json.begin_object().field("type", "tool_result");
    json.field("tool_use_id", message.call_id);
    if (!blank) json.field("content", message.text);
    json.end_object();
  } else if (!blank) {
    json.begin_object().field("type", "text");
    json.field("text", message.text).end_object();
  }
  for (const core::ToolCall& call : message.calls) {
    json.begin_object().field("type", "tool_use").field("id", call.id);
    json.field("name", call.name).key("input").raw(call.arguments);
    json.end_object();
  }
}

std::string messages_json(const core::Prompt& prompt) {
  base::JsonWriter json;
  json.begin_array();
  Turn rest = prompt.messages;
  while (!rest.empty()) {
    const Turn turn = next_turn(rest);
    rest = rest.subspan(turn.size());
    const core::Message& first = turn.front();
    const bool text = first.calls.empty() && first.role != core::Role::kTool;
    if (text && base::trim(first.text).empty()) continue;
    const bool answer = first.role == core::Role::kAssistant;
    json.begin_object().field("role", answer ? "assistant" : "user");
    json.key("content");
    if (text) {
      json.value(first.text);
    } else {
      json.begin_array();
      for (const core::Message& one : turn) write_blocks(json, one);
      json.end_array();
    }
    json.end_object();
  }
  return json.end_array().take();
}

std::string tools_json(const std::vector<core::Tool>& tools) {
  base::JsonWriter json;
  json.begin_array();
  for (const core::Tool& tool : tools) {
    json.begin_object();
    write_tool(json, tool, "input_schema");
    if (tool.strict) json.field("strict", *tool.strict);
    json.end_object();
  }
  return json.end_array().take();
}

constexpr std::string_view kAnyChoice = R"({"type":"auto"})";

std::string tool_choice(const core::ToolChoice& choice) {
  using Kind = core::ToolChoice::Kind;
  base::JsonWriter json;
  json.begin_object();
  json.field("type", choice.kind == Kind::kAuto       ? "auto"
                     : choice.kind == Kind::kNone     ? "none"
                     : choice.kind == Kind::kRequired ? "any"
                                                      : "tool");
  if (choice.kind == Kind::kNamed) json.field("name", choice.name);
  if (!choice.parallel && choice.kind != Kind::kNone) {
    json.field("disable_parallel_tool_use", true);
  }
  return json.end_object().take();
}

std::string output_config(const std::string& schema) {
  base::JsonWriter json;
  json.begin_object().key("format").begin_object();
  json.field("type", "json_schema").key("schema").raw(schema);
  return json.end_object().end_object().take();
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
  if (core::tells_tools(call.model, call.provider, parameters)) {
    body.set("tools", tools_json(parameters.tools));
    const std::string choice = tool_choice(parameters.tool_choice);
    if (choice != kAnyChoice) body.set("tool_choice", choice);
  }
  if (!parameters.schema.empty()) {
    body.set("output_config", output_config(parameters.schema));
  }
  if (call.stream) body.set_flag("stream", true);
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

// A block as it begins, or the whole of it. The input of one that is streamed
// is empty at first.
void AnthropicDecoder::take_block(const Json& block, int64_t place,
                                  Answer& answer) {
  const std::string_view type = block["type"].text();
  if (type == "text") answer.text += block["text"].text();
  if (type != "tool_use") return;
  core::ToolCall& call = answer.tool_calls.at(place);
  call.id = block["id"].text();
  call.name = block["name"].text();
  const Json& input = block["input"];
  if (!input.names().empty()) call.arguments = base::compact_json(input);
}

void AnthropicDecoder::take_delta(const Json& event, Answer& answer) {
  const Json& delta = event["delta"];
  const std::string_view type = delta["type"].text();
  if (type == "text_delta") answer.text += delta["text"].text();
  if (type == "input_json_delta") {
    const std::string_view piece = delta["partial_json"].text();
    const int64_t place = event["index"].count().value_or(0);
    // Of a tool of the server's own, which is no call of ours.
    if (answer.tool_calls.has(place)) {
      answer.tool_calls.at(place).arguments += piece;
    }
  }
  answer.has_content = true;
}

void AnthropicDecoder::take_stop_reason(const Json& holder, Answer& answer) {
  const std::string_view reason = holder["stop_reason"].text();
  if (!reason.empty()) answer.finish = core::finish_of(reason);
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
    take_block(event["content_block"], event["index"].count().value_or(0),
               answer);
    if (!answer.text.empty()) answer.has_content = true;
  } else if (type == "content_block_delta") {
    take_delta(event, answer);
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
  const std::vector<Json>& blocks = document["content"].items();
  for (size_t i = 0; i < blocks.size(); ++i) {
    take_block(blocks[i], static_cast<int64_t>(i), answer);
  }
  answer.served_model = document["model"].text();
  take_stop_reason(document, answer);
  take_usage(document["usage"], answer);
  answer.complete = true;
}

}  // namespace llmroute::provider
