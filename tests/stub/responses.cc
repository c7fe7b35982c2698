#include "stub/dialect.h"

namespace llmroute::stub {
namespace {

using base::JsonWriter;
using simdjson::dom::element;

// A named event around {"type":name, ...`rest`}.
std::string named(std::string_view name, const std::string& rest) {
  std::string text = "event: " + std::string(name) + "\ndata: {\"type\":\"";
  text += name;
  text += '"';
  if (!rest.empty()) text += "," + rest;
  return text + "}\n\n";
}

void write_usage(JsonWriter& json, const Answer& answer) {
  if (answer.usage_form == UsageForm::kOmitted) return;
  json.key("usage");
  if (answer.usage_form == UsageForm::kText) {
    json.raw(answer.usage_text);
    return;
  }
  const Usage& usage = answer.usage;
  json.begin_object().field("input_tokens", usage.input);
  json.key("input_tokens_details").begin_object();
  json.field("cached_tokens", usage.cached).end_object();
  json.field("output_tokens", usage.output);
  json.key("output_tokens_details").begin_object();
  json.field("reasoning_tokens", usage.reasoning).end_object();
  json.field("total_tokens", usage.input + usage.output).end_object();
}

std::string call_item(const ToolCall& call, std::string_view arguments) {
  JsonWriter json;
  json.begin_object().field("id", "fc_" + call.id);
  json.field("type", "function_call").field("call_id", call.id);
  json.field("name", call.name).field("arguments", arguments);
  return json.end_object().take();
}

std::string output_of(const Answer& answer) {
  JsonWriter json;
  json.begin_array();
  if (!answer.reasoning.empty()) {
    json.begin_object().field("id", "rs_1").field("type", "reasoning");
    json.key("summary").begin_array().begin_object();
    json.field("type", "summary_text").field("text", answer.reasoning);
    json.end_object().end_array().end_object();
  }
  if (!answer.deltas.empty() || answer.tool_calls.empty()) {
    json.begin_object().field("id", "msg_1").field("type", "message");
    json.field("role", "assistant").field("status", "completed");
    json.key("content").begin_array().begin_object();
    const bool refusal = answer.finish == "refusal";
    json.field("type", refusal ? "refusal" : "output_text");
    json.key(refusal ? "refusal" : "text").raw(answer.text_literal());
    json.end_object().end_array().end_object();
  }
  for (const ToolCall& call : answer.tool_calls) {
    json.raw(call_item(call, call.arguments));
  }
  return json.end_array().take();
}

// `status`: "in_progress" at the start.
std::string response(const Answer& answer, std::string_view status) {
  const bool over = status != "in_progress";
  JsonWriter json;
  json.begin_object().field("id", "resp_" + answer.id);
  json.field("object", "response").field("model", answer.model);
  json.field("status", status).key("error").null();
  json.key("incomplete_details");
  if (status == "incomplete") {
    json.begin_object();
    json.field("reason", finish_word(answer, {{"length", "max_output_tokens"},
                                              {"filter", "content_filter"}}));
    json.end_object();
  } else {
    json.null();
  }
  json.key("output").raw(over ? output_of(answer) : "[]");
  if (over) {
    write_usage(json, answer);
  } else {
    json.key("usage").null();
  }
  return json.end_object().take();
}

std::string_view status_of(const Answer& answer) {
  return finish_word(answer, {{"stop", "completed"},
                              {"tool", "completed"},
                              {"refusal", "completed"},
                              {"length", "incomplete"},
                              {"filter", "incomplete"}});
}

std::string whole_event(const Answer& answer, std::string_view name,
                        std::string_view status) {
  return named(
      "response." + std::string(name),
      "\"sequence_number\":0,\"response\":" + response(answer, status));
}

std::string delta_event(std::string_view what, const std::string& item,
                        const std::string& literal) {
  return named("response." + std::string(what) + ".delta",
               "\"item_id\":\"" + item + "\",\"delta\":" + literal);
}

std::string literal_of(std::string_view text) {
  std::string literal;
  base::append_json_string(literal, text);
  return literal;
}

void stream_call(std::vector<Event>& events, const ToolCall& call,
                 size_t index) {
  const std::string place = "\"output_index\":" + std::to_string(index);
  events.push_back(
      {EventKind::kDelta, named("response.output_item.added",
                                place + ",\"item\":" + call_item(call, ""))});
  for (std::string_view part : fragments(call.arguments)) {
    events.push_back({EventKind::kDelta,
                      delta_event("function_call_arguments", "fc_" + call.id,
                                  literal_of(part)),
                      static_cast<int64_t>(part.size())});
  }
  events.push_back(
      {EventKind::kDelta,
       named("response.output_item.done",
             place + ",\"item\":" + call_item(call, call.arguments))});
}

class Responses : public Dialect {
 public:
  Ask read(const Request& request) const override {
    Ask ask;
    simdjson::dom::parser parser;
    element body, input;
    if (parser.parse(request.body).get(body) || !body.is_object()) {
      ask.refused = "could not parse the JSON body of the request";
      return ask;
    }
    std::string_view text;
    if (!body["model"].get(text)) ask.model = text;
    if (!body["instructions"].get(text)) {
      ask.text_bytes += static_cast<int64_t>(text.size());
    }
    if (body["input"].get(input)) {
      ask.refused = "Missing required parameter: 'input'.";
      return ask;
    }
    read_input(ask, input);
    int64_t limit = 0;
    if (!body["max_output_tokens"].get(limit)) ask.max_tokens = limit;
    bool flag = false;
    if (!body["stream"].get(flag)) ask.stream = flag;
    ask.include_usage = true;
    return ask;
  }

  std::string whole(const Answer& answer) const override {
    return response(answer, status_of(answer));
  }

  std::vector<Event> stream(const Answer& answer) const override {
    std::vector<Event> events;
    const EventKind start = EventKind::kStart;
    events.push_back({start, whole_event(answer, "created", "in_progress")});
    events.push_back(
        {start, whole_event(answer, "in_progress", "in_progress")});
    if (!answer.reasoning.empty()) {
      events.push_back({start, delta_event("reasoning_summary_text", "rs_1",
                                           literal_of(answer.reasoning))});
    }
    const std::string_view what =
        answer.finish == "refusal" ? "refusal" : "output_text";
    for (const Delta& delta : answer.deltas) {
      events.push_back({EventKind::kDelta,
                        delta_event(what, "msg_1", "\"" + delta.inner + "\""),
                        delta.bytes});
    }
    for (size_t i = 0; i < answer.tool_calls.size(); ++i) {
      stream_call(events, answer.tool_calls[i], i + 1);
    }
    const std::string_view status = status_of(answer);
    events.push_back({EventKind::kDone, whole_event(answer, status, status)});
    return events;
  }

  std::string error(const ErrorText& text) const override {
    return openai().error(text);
  }
  // The event as it is observed, nested; the flat one of the specification is
  // for tests to write out.
  std::string error_event(const ErrorText& text) const override {
    const std::string nested = error(text);
    return named("error", nested.substr(1, nested.size() - 2));
  }
  std::string unknown_event() const override {
    return named("response.novelty", "\"colour\":\"blue\"");
  }
  std::string keep_alive() const override { return ": keep-alive\n\n"; }
  std::string frame(std::string_view data) const override {
    return "data: " + std::string(data) + "\n\n";
  }
  std::string_view line_start() const override { return "data: "; }
  std::string_view stream_type() const override { return "text/event-stream"; }
  std::string_view request_id_header() const override { return "x-request-id"; }

 private:
  static void read_input(Ask& ask, element input) {
    std::string_view text;
    simdjson::dom::array items;
    if (!input.get(text)) {
      ask.prompt = text;
      ask.text_bytes += static_cast<int64_t>(text.size());
    } else if (!input.get(items)) {
      for (element item : items) {
        element content;
        if (item["role"].get(text) || item["content"].get(content)) continue;
        std::string joined = text_of(content);
        ask.text_bytes += static_cast<int64_t>(joined.size());
        if (text == "user") ask.prompt = std::move(joined);
      }
    }
  }
};

}  // namespace

const Dialect& responses() {
  static const Responses dialect;
  return dialect;
}

}  // namespace llmroute::stub
