#include "batch/result_body.h"

#include <fmt/format.h>

namespace llmroute::batch {
namespace {

using base::JsonWriter;
using core::Finish;

// The words of chat completions. A refusal has a field of its own there.
std::string_view openai_finish(Finish finish) {
  switch (finish) {
    case Finish::kLength:
      return "length";
    case Finish::kFilter:
      return "content_filter";
    case Finish::kToolCalls:
      return "tool_calls";
    case Finish::kStop:
    case Finish::kRefusal:
    case Finish::kOther:
      return "stop";
  }
  return "stop";
}

const std::string& model_of(const Result& result) {
  return result.reply.served_model.empty() ? result.routed
                                           : result.reply.served_model;
}

void write_chat_usage(JsonWriter& json, const core::Usage& usage) {
  if (!usage.complete()) return;
  json.key("usage").begin_object().field("prompt_tokens", usage.input);
  json.field("completion_tokens", usage.output);
  json.field("total_tokens", *usage.input + *usage.output);
  json.key("prompt_tokens_details").begin_object();
  json.field("cached_tokens", usage.cached_input).end_object();
  json.key("completion_tokens_details").begin_object();
  json.field("reasoning_tokens", usage.reasoning).end_object().end_object();
}

void write_response_usage(JsonWriter& json, const core::Usage& usage) {
  if (!usage.complete()) return;
  json.key("usage").begin_object().field("input_tokens", usage.input);
  json.key("input_tokens_details").begin_object();
  json.field("cached_tokens", usage.cached_input);
  json.field("cache_write_tokens", usage.cache_write).end_object();
  json.field("output_tokens", usage.output);
  json.key("output_tokens_details").begin_object();
  json.field("reasoning_tokens", usage.reasoning).end_object();
  json.field("total_tokens", *usage.input + *usage.output).end_object();
}

void write_incomplete(JsonWriter& json, Finish finish) {
  json.key("incomplete_details");
  if (finish == Finish::kLength || finish == Finish::kFilter) {
    json.begin_object()
        .field("reason", finish == Finish::kLength ? "max_output_tokens"
                                                   : "content_filter")
        .end_object();
  } else {
    json.null();
  }
}

// The provider's, or one of the same kind: every call has one there.
std::string call_id(const core::Reply& reply, size_t index,
                    const std::string& ids) {
  const std::string& id = reply.tool_calls[index].id;
  return id.empty() ? fmt::format("call_{}_{}", ids, index) : id;
}

void write_chat_calls(JsonWriter& json, const core::Reply& reply,
                      const std::string& ids) {
  json.key("tool_calls").begin_array();
  for (size_t i = 0; i < reply.tool_calls.size(); ++i) {
    json.begin_object().field("id", call_id(reply, i, ids));
    json.field("type", "function").key("function").begin_object();
    json.field("name", reply.tool_calls[i].name);
    json.field("arguments", reply.tool_calls[i].arguments);
    json.end_object().end_object();
  }
  json.end_array();
}

void write_response_calls(JsonWriter& json, const core::Reply& reply,
                          const std::string& ids) {
  for (size_t i = 0; i < reply.tool_calls.size(); ++i) {
    json.begin_object().field("id", fmt::format("fc_{}_{}", ids, i));
    json.field("type", "function_call").field("status", "completed");
    json.field("call_id", call_id(reply, i, ids));
    json.field("name", reply.tool_calls[i].name);
    json.field("arguments", reply.tool_calls[i].arguments).end_object();
  }
}

void write_message(JsonWriter& json, const core::Reply& reply,
                   const std::string& ids, const char* status) {
  json.begin_object();
  json.field("id", "msg_" + ids).field("type", "message");
  json.field("role", "assistant").field("status", status);
  json.key("content").begin_array().begin_object();
  if (reply.finish == Finish::kRefusal) {
    json.field("type", "refusal").field("refusal", reply.text);
  } else {
    json.field("type", "output_text").field("text", reply.text);
    json.key("annotations").begin_array().end_array();
  }
  json.end_object().end_array().end_object();
}

}  // namespace

void write_tool_choice(JsonWriter& json, const core::ToolChoice& choice) {
  using Kind = core::ToolChoice::Kind;
  json.field("parallel_tool_calls", choice.parallel);
  if (choice.kind == Kind::kNamed) {
    json.key("tool_choice").begin_object().field("type", "function");
    json.field("name", choice.name).end_object();
  } else {
    json.field("tool_choice", choice.kind == Kind::kNone   ? "none"
                              : choice.kind == Kind::kAuto ? "auto"
                                                           : "required");
  }
}

void write_chat_completion(JsonWriter& json, const Result& result,
                           const std::string& ids) {
  const core::Reply& reply = result.reply;
  const bool refused = reply.finish == Finish::kRefusal;
  json.begin_object().field("id", "chatcmpl-" + ids);
  json.field("object", "chat.completion").field("created", result.created);
  json.field("model", model_of(result));
  json.key("choices").begin_array().begin_object().field("index", 0);
  json.key("message").begin_object().field("role", "assistant").key("content");
  const bool calls = !reply.tool_calls.empty();
  const bool no_text = refused || (calls && reply.text.empty());
  no_text ? json.null() : json.value(reply.text);
  json.key("refusal");
  refused ? json.value(reply.text) : json.null();
  if (calls) write_chat_calls(json, reply, ids);
  json.end_object().key("logprobs").null();
  json.field("finish_reason", openai_finish(reply.finish));
  json.end_object().end_array();
  write_chat_usage(json, reply.usage);
  json.end_object();
}

void write_response(JsonWriter& json, const Record& record,
                    const Result& result, const std::string& ids) {
  const core::Reply& reply = result.reply;
  const core::Parameters& parameters = record.prompt.parameters;
  const bool whole =
      reply.finish != Finish::kLength && reply.finish != Finish::kFilter;
  const char* status = whole ? "completed" : "incomplete";
  json.begin_object().field("id", "resp_" + ids).field("object", "response");
  json.field("created_at", result.created).field("status", status);
  json.field("model", model_of(result)).key("error").null();
  write_incomplete(json, reply.finish);
  json.key("instructions");
  record.prompt.system.empty() ? json.null() : json.value(record.prompt.system);
  json.key("metadata").null().field("max_output_tokens", parameters.max_tokens);
  json.field("temperature", parameters.temperature).key("top_p").null();
  write_tool_choice(json, parameters.tool_choice);
  json.key("tools").begin_array().end_array();  // not repeated
  json.key("output").begin_array();
  if (!reply.text.empty() || reply.tool_calls.empty()) {
    write_message(json, reply, ids, status);
  }
  write_response_calls(json, reply, ids);
  json.end_array();
  json.key("output_text");
  json.value(reply.finish == Finish::kRefusal ? "" : reply.text);
  write_response_usage(json, reply.usage);
  json.end_object();
}

}  // namespace llmroute::batch
