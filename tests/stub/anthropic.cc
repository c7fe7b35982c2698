#include "stub/dialect.h"

namespace llmroute::stub {
namespace {

using base::JsonWriter;

// A named event around {"type":name, ...`rest`}.
std::string named(std::string_view name, std::string_view rest = "") {
  std::string text = "event: " + std::string(name) + "\ndata: {\"type\":\"";
  text += name;
  text += '"';
  if (!rest.empty()) (text += ',') += rest;
  return text + "}\n\n";
}

void write_usage(JsonWriter& json, const Answer& answer, int64_t output) {
  if (answer.usage_form == UsageForm::kOmitted) return;
  if (answer.usage_form == UsageForm::kText) {
    json.key("usage").raw(answer.usage_text);
    return;
  }
  const Usage& usage = answer.usage;
  json.key("usage").begin_object();
  json.field("input_tokens", usage.input - usage.cached);
  json.field("cache_creation_input_tokens", 0);
  json.field("cache_read_input_tokens", usage.cached);
  json.field("output_tokens", output).end_object();
}

std::string_view finish_of(const Answer& answer) {
  return finish_word(answer, {{"stop", "end_turn"},
                              {"length", "max_tokens"},
                              {"tool", "tool_use"},
                              {"filter", "refusal"}});
}

std::string block_delta(size_t index, std::string_view delta) {
  return named("content_block_delta", "\"index\":" + std::to_string(index) +
                                          ",\"delta\":" + std::string(delta));
}

std::string block_start(size_t index, std::string_view block) {
  return named("content_block_start",
               "\"index\":" + std::to_string(index) +
                   ",\"content_block\":" + std::string(block));
}

std::string block_stop(size_t index) {
  return named("content_block_stop", "\"index\":" + std::to_string(index));
}

void stream_reasoning(std::vector<Event>& events, const std::string& text,
                      size_t index) {
  JsonWriter delta;
  delta.begin_object().field("type", "thinking_delta");
  delta.field("thinking", text).end_object();
  const EventKind kind = EventKind::kStart;
  events.push_back(
      {kind, block_start(index, R"({"type":"thinking","thinking":""})")});
  events.push_back({kind, block_delta(index, delta.text())});
  events.push_back({kind, block_stop(index)});
}

void stream_call(std::vector<Event>& events, const ToolCall& call,
                 size_t index) {
  JsonWriter block;
  block.begin_object().field("type", "tool_use").field("id", call.id);
  block.field("name", call.name).key("input").raw("{}").end_object();
  events.push_back({EventKind::kDelta, block_start(index, block.text())});
  for (std::string_view part : fragments(call.arguments)) {
    JsonWriter delta;
    delta.begin_object().field("type", "input_json_delta");
    delta.field("partial_json", part).end_object();
    events.push_back({EventKind::kDelta, block_delta(index, delta.text()),
                      static_cast<int64_t>(part.size())});
  }
  events.push_back({EventKind::kDelta, block_stop(index)});
}

std::string message_start(const Answer& answer) {
  JsonWriter json;
  json.begin_object().field("id", "msg_" + answer.id).field("type", "message");
  json.field("role", "assistant").field("model", answer.model);
  json.key("content").raw("[]").key("stop_reason").null();
  json.key("stop_sequence").null();
  write_usage(json, answer, 1);
  json.end_object();
  return named("message_start", "\"message\":" + json.text());
}

std::string message_delta(const Answer& answer) {
  JsonWriter json;
  json.begin_object().field("type", "message_delta").key("delta");
  json.begin_object().field("stop_reason", finish_of(answer));
  json.key("stop_sequence").null().end_object();
  write_usage(json, answer, answer.usage.output);
  return "event: message_delta\ndata: " + json.end_object().take() + "\n\n";
}

class Anthropic : public Dialect {
 public:
  Ask read(const Request& request) const override {
    Ask ask;
    simdjson::dom::parser parser;
    simdjson::dom::element body;
    if (parser.parse(request.body).get(body) || !body.is_object()) {
      ask.refused = "the request body is not valid JSON";
      return ask;
    }
    gather(ask, body);
    simdjson::dom::element system;
    if (!body["system"].get(system)) {
      ask.text_bytes += static_cast<int64_t>(text_of(system).size());
    }
    int64_t limit = 0;
    if (!body["max_tokens"].get(limit)) {
      ask.max_tokens = limit;
    } else {
      ask.refused = "max_tokens: Field required";
    }
    if (request.header("anthropic-version") == nullptr) {
      ask.refused = "anthropic-version: header is required";
    }
    bool flag = false;
    if (!body["stream"].get(flag)) ask.stream = flag;
    ask.include_usage = true;
    return ask;
  }

  std::string whole(const Answer& answer) const override {
    JsonWriter json;
    json.begin_object().field("id", "msg_" + answer.id);
    json.field("type", "message").field("role", "assistant");
    json.field("model", answer.model).key("content").begin_array();
    if (!answer.reasoning.empty()) {
      json.begin_object().field("type", "thinking");
      json.field("thinking", answer.reasoning).end_object();
    }
    if (!answer.deltas.empty() || answer.tool_calls.empty()) {
      json.begin_object().field("type", "text").key("text");
      json.raw(answer.text_literal()).end_object();
    }
    for (const ToolCall& call : answer.tool_calls) {
      json.begin_object().field("type", "tool_use").field("id", call.id);
      json.field("name", call.name).key("input").raw(call.arguments);
      json.end_object();
    }
    json.end_array().field("stop_reason", finish_of(answer));
    json.key("stop_sequence").null();
    write_usage(json, answer, answer.usage.output);
    return json.end_object().take();
  }

  std::vector<Event> stream(const Answer& answer) const override {
    std::vector<Event> events;
    size_t index = 0;
    events.push_back({EventKind::kStart, message_start(answer)});
    events.push_back({EventKind::kStart, keep_alive()});
    if (!answer.reasoning.empty()) {
      stream_reasoning(events, answer.reasoning, index++);
    }
    if (!answer.deltas.empty() || answer.tool_calls.empty()) {
      events.push_back({EventKind::kStart,
                        block_start(index, R"({"type":"text","text":""})")});
      for (const Delta& delta : answer.deltas) {
        events.push_back(
            {EventKind::kDelta,
             block_delta(index, R"({"type":"text_delta","text":")" +
                                    delta.inner + "\"}"),
             delta.bytes});
      }
      const EventKind kind =
          answer.tool_calls.empty() ? EventKind::kFinish : EventKind::kDelta;
      events.push_back({kind, block_stop(index++)});
    }
    for (const ToolCall& call : answer.tool_calls) {
      stream_call(events, call, index++);
    }
    events.push_back({EventKind::kFinish, message_delta(answer)});
    events.push_back({EventKind::kDone, named("message_stop")});
    return events;
  }

  std::string error(const ErrorText& error) const override {
    JsonWriter json;
    json.begin_object().field("type", "error").key("error").begin_object();
    json.field("type", error.type.empty()
                           ? std::string(error_row(error.status).anthropic_type)
                           : error.type);
    json.field("message", error_message(error)).end_object();
    return json.field("request_id", "req_stub").end_object().take();
  }

  std::string error_event(const ErrorText& text) const override {
    return "event: error\ndata: " + error(text) + "\n\n";
  }
  std::string unknown_event() const override {
    return named("novelty", "\"colour\":\"blue\",\"index\":99");
  }
  std::string keep_alive() const override { return named("ping"); }
  std::string frame(std::string_view data) const override {
    return "data: " + std::string(data) + "\n\n";
  }
  std::string_view line_start() const override { return "data: "; }
  std::string_view stream_type() const override { return "text/event-stream"; }
  std::string_view request_id_header() const override { return "request-id"; }
};

}  // namespace

const Dialect& anthropic() {
  static const Anthropic dialect;
  return dialect;
}

}  // namespace llmroute::stub
