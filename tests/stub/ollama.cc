#include "stub/dialect.h"

namespace llmroute::stub {
namespace {

using base::JsonWriter;

void write_usage(JsonWriter& json, const Answer& answer) {
  if (answer.usage_form == UsageForm::kOmitted) return;
  if (answer.usage_form == UsageForm::kText) {
    // The fields stand beside the others, so an object loses its braces; a
    // value that is no object takes the place of both counts.
    const std::string& text = answer.usage_text;
    if (text.starts_with('{')) {
      if (text != "{}") json.raw(text.substr(1, text.size() - 2));
      return;
    }
    json.key("prompt_eval_count").raw(text).key("eval_count").raw(text);
    return;
  }
  json.field("prompt_eval_count", answer.usage.input);
  json.field("eval_count", answer.usage.output);
}

JsonWriter begin(const Answer& answer) {
  JsonWriter json;
  json.begin_object().field("model", answer.model);
  json.field("created_at", "2026-01-01T00:00:00Z");
  return json;
}

// `extra`: further fields of the message, each with a comma before it.
std::string line(const Answer& answer, std::string_view literal,
                 std::string_view extra = "") {
  JsonWriter json = begin(answer);
  json.key("message").begin_object().field("role", "assistant");
  json.key("content").raw(std::string(literal) + std::string(extra));
  json.end_object().field("done", false);
  return json.end_object().take() + "\n";
}

std::string call_list(const Answer& answer) {
  JsonWriter json;
  json.begin_array();
  for (const ToolCall& call : answer.tool_calls) {
    json.begin_object().key("function").begin_object();
    json.field("name", call.name).key("arguments").raw(call.arguments);
    json.end_object().end_object();
  }
  return ",\"tool_calls\":" + json.end_array().take();
}

std::string thinking(const Answer& answer) {
  std::string field = ",\"thinking\":";
  base::append_json_string(field, answer.reasoning);
  return field;
}

std::string last(const Answer& answer, std::string_view literal,
                 std::string_view extra) {
  JsonWriter json = begin(answer);
  json.key("message").begin_object().field("role", "assistant");
  json.key("content").raw(std::string(literal) + std::string(extra));
  json.end_object().field("done", true);
  json.field("done_reason", finish_word(answer, {{"tool", "stop"},
                                                 {"filter", "stop"},
                                                 {"refusal", "stop"}}));
  json.field("total_duration", 5'000'000).field("load_duration", 1'000'000);
  json.field("prompt_eval_duration", 1'000'000);
  json.field("eval_duration", 2'000'000);
  write_usage(json, answer);
  return json.end_object().take() + "\n";
}

class Ollama : public Dialect {
 public:
  Ask read(const Request& request) const override {
    Ask ask;
    simdjson::dom::parser parser;
    simdjson::dom::element body;
    if (parser.parse(request.body).get(body) || !body.is_object()) {
      ask.refused = "invalid JSON in the request";
      return ask;
    }
    gather(ask, body);
    int64_t limit = 0;
    if (!body["options"]["num_predict"].get(limit) && limit >= 0) {
      ask.max_tokens = limit;
    }
    bool flag = true;
    if (body["stream"].get(flag)) flag = true;
    ask.stream = flag;
    ask.include_usage = true;
    return ask;
  }

  std::string whole(const Answer& answer) const override {
    std::string extra;
    if (!answer.reasoning.empty()) extra += thinking(answer);
    if (!answer.tool_calls.empty()) extra += call_list(answer);
    return last(answer, answer.text_literal(), extra);
  }

  std::vector<Event> stream(const Answer& answer) const override {
    std::vector<Event> events;
    if (!answer.reasoning.empty()) {
      events.push_back(
          {EventKind::kStart, line(answer, "\"\"", thinking(answer))});
    }
    for (const Delta& delta : answer.deltas) {
      events.push_back({EventKind::kDelta,
                        line(answer, "\"" + delta.inner + "\""), delta.bytes});
    }
    if (!answer.tool_calls.empty()) {
      events.push_back(
          {EventKind::kDelta, line(answer, "\"\"", call_list(answer))});
    }
    events.push_back({EventKind::kDone, last(answer, "\"\"", "")});
    return events;
  }

  std::string error(const ErrorText& error) const override {
    JsonWriter json;
    json.begin_object().field("error", error_message(error));
    return json.end_object().take();
  }

  std::string error_event(const ErrorText& text) const override {
    return error(text) + "\n";
  }
  std::string unknown_event() const override {
    return "{\"colour\":\"blue\",\"done\":false}\n";
  }
  std::string keep_alive() const override { return "\n"; }
  std::string frame(std::string_view data) const override {
    return std::string(data) + "\n";
  }
  std::string_view line_start() const override { return ""; }
  std::string_view stream_type() const override {
    return "application/x-ndjson";
  }
  std::string_view request_id_header() const override { return "x-request-id"; }
};

}  // namespace

const Dialect& ollama() {
  static const Ollama dialect;
  return dialect;
}

}  // namespace llmroute::stub
