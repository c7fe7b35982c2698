#include "provider/openai_responses.h"

#include <utility>

#include "base/json_writer.h"
#include "core/needs.h"
#include "provider/openai_chat.h"
#include "provider/parameter_memory.h"
#include "provider/request_body.h"
#include "provider/request_headers.h"
#include "provider/tools.h"

namespace llmroute::provider {
namespace {

using core::Finish;

void write_text_item(base::JsonWriter& json, const core::Message& message) {
  const bool user = message.role == core::Role::kUser;
  json.begin_object().field("role", user ? "user" : "assistant");
  json.key("content").begin_array().begin_object();
  json.field("type", user ? "input_text" : "output_text");
  json.field("text", message.text).end_object().end_array().end_object();
}

void write_items(base::JsonWriter& json, const core::Message& message) {
  if (message.role == core::Role::kTool) {
    json.begin_object().field("type", "function_call_output");
    json.field("call_id", message.call_id).field("output", message.text);
    json.end_object();
    return;
  }
  if (message.calls.empty() || !message.text.empty()) {
    write_text_item(json, message);
  }
  for (const core::ToolCall& call : message.calls) {
    json.begin_object().field("type", "function_call");
    json.field("call_id", call.id).field("name", call.name);
    json.field("arguments", call.arguments).end_object();
  }
}

std::string input_json(const core::Prompt& prompt) {
  base::JsonWriter json;
  if (prompt.messages.size() == 1) {
    json.value(prompt.messages.front().text);
    return json.take();
  }
  json.begin_array();
  for (const core::Message& one : prompt.messages) write_items(json, one);
  return json.end_array().take();
}

// Strict unless told otherwise, so it is always told.
std::string tools_json(const std::vector<core::Tool>& tools) {
  base::JsonWriter json;
  json.begin_array();
  for (const core::Tool& tool : tools) {
    json.begin_object().field("type", "function");
    write_tool(json, tool, "parameters");
    json.field("strict", tool.strict.value_or(false)).end_object();
  }
  return json.end_array().take();
}

std::string text_json(const std::string& schema) {
  base::JsonWriter json;
  json.begin_object().key("format").begin_object();
  json.field("type", "json_schema").field("name", "answer");
  json.field("strict", is_strict_schema(schema)).key("schema").raw(schema);
  return json.end_object().end_object().take();
}

// There is no stop and no seed here.
void set_parameters(const Call& call, RequestBody& body) {
  const core::Parameters& parameters = call.prompt.parameters;
  if (call.output_cap > 0) {
    body.set_number("max_output_tokens", call.output_cap);
  }
  if (parameters.temperature && call.model.accepts_temperature &&
      !refused_parameters(call).dropped("temperature")) {
    body.set_number("temperature", *parameters.temperature);
  }
  if (core::tells_tools(call.model, call.provider, parameters)) {
    body.set("tools", tools_json(parameters.tools));
    if (says_choice(parameters)) {
      body.set("tool_choice", openai_tool_choice(parameters.tool_choice, ""));
    }
    if (!parameters.tool_choice.parallel) {
      body.set_flag("parallel_tool_calls", false);
    }
  }
  if (!parameters.schema.empty()) {
    body.set("text", text_json(parameters.schema));
  }
  body.set_flag("store", false);
  if (call.stream) body.set_flag("stream", true);
}

}  // namespace

HttpRequest openai_responses_request(const Call& call) {
  RequestBody body;
  body.set_text("model", call.model.id);
  if (!call.prompt.system.empty()) {
    body.set_text("instructions", call.prompt.system);
  }
  body.set("input", input_json(call.prompt));
  set_parameters(call, body);
  body.set_extra(call.prompt.parameters);
  HttpRequest request;
  request.url = join_url(call.provider.base_url, "/v1", "/responses", true);
  add_key(call, "Authorization", request);
  request.body = body.text();
  return with_common_headers(call, std::move(request));
}

void OpenAiResponsesDecoder::take_part(const Json& part, Answer& answer) {
  const std::string_view type = part["type"].text();
  if (type == "output_text") {
    answer.text += part["text"].text();
  } else if (type == "refusal") {
    refused_ = true;
    answer.text += part["refusal"].text();
  }
}

void OpenAiResponsesDecoder::take_call(const Json& item, Answer& answer) {
  if (item["type"].text() != "function_call") return;
  const std::string_view id = item["id"].text();
  core::ToolCall& call =
      call_of(id.empty() ? item["call_id"].text() : id, answer);
  call.id = item["call_id"].text();
  call.name = item["name"].text();
  // Whole once the item is done; while it is not, it is empty.
  if (item.has("arguments")) call.arguments = arguments_of(item["arguments"]);
}

// By the item's id: indices are often left out.
core::ToolCall& OpenAiResponsesDecoder::call_of(std::string_view item,
                                                Answer& answer) {
  const auto [found, fresh] =
      places_.try_emplace(std::string(item), places_.size());
  return answer.tool_calls.at(static_cast<int64_t>(found->second));
}

void OpenAiResponsesDecoder::take_output(const Json& output, Answer& answer) {
  const bool calls_streamed = !answer.tool_calls.empty();
  for (const Json& item : output.items()) {
    if (!calls_streamed) take_call(item, answer);
    if (streamed_) continue;
    for (const Json& part : item["content"].items()) {
      if (item["type"].text() != "reasoning") take_part(part, answer);
    }
  }
}

void OpenAiResponsesDecoder::take_response(const Json& response,
                                           Answer& answer) {
  const std::string_view status = response["status"].text();
  const Json& error = response["error"];
  if (status == "failed" || error.is_object()) {
    answer.error = read_error(response);
    return;
  }
  if (status != "completed" && status != "incomplete") {
    answer.nonsense = "the response is " + std::string(status) + " at its end";
    return;
  }
  take_output(response["output"], answer);
  if (!response["model"].text().empty()) {
    answer.served_model = response["model"].text();
  }
  const Json& usage = response["usage"];
  if (usage.is_object()) answer.usage = openai_usage(usage);
  const std::string_view reason =
      response["incomplete_details"]["reason"].text();
  if (refused_) answer.finish = Finish::kRefusal;
  if (status == "incomplete") {
    answer.finish = reason == "max_output_tokens" ? Finish::kLength
                    : reason == "content_filter"  ? Finish::kFilter
                                                  : Finish::kOther;
  }
  answer.complete = true;
}

void OpenAiResponsesDecoder::on_event(const Json& event, bool unterminated,
                                      Answer& answer) {
  const std::string_view type = event["type"].text();
  if (type == "response.completed" || type == "response.incomplete" ||
      type == "response.failed") {
    take_response(event["response"], answer);
  } else if (unterminated) {
    return;
  } else if (type == "response.created") {
    if (started_) answer.nonsense = "the stream starts a second response";
    started_ = true;
  } else if (type == "response.output_text.delta" ||
             type == "response.refusal.delta") {
    streamed_ = true;
    refused_ = refused_ || type == "response.refusal.delta";
    answer.text += event["delta"].text();
    answer.has_content = true;
  } else if (type == "response.output_item.added" ||
             type == "response.output_item.done") {
    take_call(event["item"], answer);
  } else if (type == "response.function_call_arguments.delta") {
    call_of(event["item_id"].text(), answer).arguments += event["delta"].text();
    answer.has_content = true;
  } else if (type.ends_with(".delta")) {
    answer.has_content = true;  // reasoning
  }
}

void OpenAiResponsesDecoder::on_document(const Json& document, Answer& answer) {
  if (document["output"].is_array() || document["error"].is_object()) {
    take_response(document, answer);
  } else {
    answer.nonsense = "the reply holds no output";
  }
}

}  // namespace llmroute::provider
