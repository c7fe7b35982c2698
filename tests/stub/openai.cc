#include "stub/dialect.h"

namespace llmroute::stub {
namespace {

using base::JsonWriter;

constexpr int64_t kCreated = 1'750'000'000;

std::string sse(std::string_view json) {
  return "data: " + std::string(json) + "\n\n";
}

void write_usage(JsonWriter& json, const Answer& answer) {
  if (answer.usage_form == UsageForm::kText) {
    json.key("usage").raw(answer.usage_text);
    return;
  }
  const Usage& usage = answer.usage;
  json.key("usage").begin_object();
  json.field("prompt_tokens", usage.input);
  json.field("completion_tokens", usage.output);
  json.field("total_tokens", usage.input + usage.output);
  json.key("prompt_tokens_details").begin_object();
  json.field("cached_tokens", usage.cached).end_object();
  json.key("completion_tokens_details").begin_object();
  json.field("reasoning_tokens", usage.reasoning).end_object();
  json.end_object();
}

std::string_view finish_of(const Answer& answer) {
  return finish_word(answer, {{"tool", "tool_calls"},
                              {"filter", "content_filter"},
                              {"refusal", "content_filter"}});
}

JsonWriter begin(const Answer& answer, std::string_view object) {
  JsonWriter json;
  json.begin_object().field("id", "chatcmpl-" + answer.id);
  json.field("object", object).field("created", kCreated);
  json.field("model", answer.model);
  json.key("service_tier").value("default").key("system_fingerprint").null();
  return json;
}

// `delta`: the JSON of the choice's delta object.
std::string chunk(const Answer& answer, std::string_view delta,
                  std::string_view finish = "") {
  JsonWriter json = begin(answer, "chat.completion.chunk");
  json.key("choices").begin_array().begin_object().field("index", 0);
  json.key("delta").raw(delta).key("logprobs").null().key("finish_reason");
  finish.empty() ? json.null() : json.value(finish);
  json.end_object().end_array();
  if (answer.include_usage) json.key("usage").null();
  return sse(json.end_object().text());
}

void write_call(JsonWriter& json, size_t index, const ToolCall& call) {
  json.begin_object().field("index", index).field("id", call.id);
  json.field("type", "function").key("function").begin_object();
  json.field("name", call.name).field("arguments", call.arguments);
  json.end_object().end_object();
}

void stream_call(std::vector<Event>& events, const Answer& answer,
                 size_t index) {
  ToolCall head = answer.tool_calls[index];
  head.arguments.clear();
  JsonWriter first;
  first.begin_object().key("tool_calls").begin_array();
  write_call(first, index, head);
  first.end_array().end_object();
  events.push_back({EventKind::kDelta, chunk(answer, first.text())});
  for (std::string_view part : fragments(answer.tool_calls[index].arguments)) {
    JsonWriter json;
    json.begin_object().key("tool_calls").begin_array().begin_object();
    json.field("index", index).key("function").begin_object();
    json.field("arguments", part).end_object().end_object();
    json.end_array().end_object();
    events.push_back({EventKind::kDelta, chunk(answer, json.text()),
                      static_cast<int64_t>(part.size())});
  }
}

class OpenAi : public Dialect {
 public:
  Ask read(const Request& request) const override {
    Ask ask;
    simdjson::dom::parser parser;
    simdjson::dom::element body;
    if (parser.parse(request.body).get(body) || !body.is_object()) {
      ask.refused = "could not parse the JSON body of the request";
      return ask;
    }
    gather(ask, body);
    int64_t limit = 0;
    if (!body["max_tokens"].get(limit)) ask.max_tokens = limit;
    if (!body["max_completion_tokens"].get(limit)) ask.max_tokens = limit;
    bool flag = false;
    if (!body["stream"].get(flag)) ask.stream = flag;
    simdjson::dom::element options;
    if (!body["stream_options"].get(options) && !options.is_null()) {
      if (!ask.stream) ask.refused = "'stream_options' needs 'stream'";
      if (!options["include_usage"].get(flag)) ask.include_usage = flag;
    }
    return ask;
  }

  std::string whole(const Answer& answer) const override {
    JsonWriter json = begin(answer, "chat.completion");
    json.key("choices").begin_array().begin_object().field("index", 0);
    json.key("message").begin_object().field("role", "assistant");
    const bool silent = answer.deltas.empty() && !answer.tool_calls.empty();
    json.key("content").raw(silent ? "null" : answer.text_literal());
    json.key("refusal").null();
    if (!answer.reasoning.empty()) {
      json.field("reasoning_content", answer.reasoning);
    }
    if (!answer.tool_calls.empty()) {
      json.key("tool_calls").begin_array();
      for (size_t i = 0; i < answer.tool_calls.size(); ++i) {
        write_call(json, i, answer.tool_calls[i]);
      }
      json.end_array();
    }
    json.end_object().key("logprobs").null();
    json.field("finish_reason", finish_of(answer)).end_object().end_array();
    if (answer.usage_form != UsageForm::kOmitted) write_usage(json, answer);
    return json.end_object().take();
  }

  std::vector<Event> stream(const Answer& answer) const override {
    std::vector<Event> events;
    events.push_back(
        {EventKind::kStart,
         chunk(answer, R"({"role":"assistant","content":"","refusal":null})")});
    if (!answer.reasoning.empty()) {
      JsonWriter json;
      json.begin_object().field("reasoning_content", answer.reasoning);
      events.push_back(
          {EventKind::kStart, chunk(answer, json.end_object().text())});
    }
    for (const Delta& delta : answer.deltas) {
      events.push_back({EventKind::kDelta,
                        chunk(answer, "{\"content\":\"" + delta.inner + "\"}"),
                        delta.bytes});
    }
    for (size_t i = 0; i < answer.tool_calls.size(); ++i) {
      stream_call(events, answer, i);
    }
    events.push_back(
        {EventKind::kFinish, chunk(answer, "{}", finish_of(answer))});
    if (answer.include_usage && answer.usage_form != UsageForm::kOmitted) {
      JsonWriter json = begin(answer, "chat.completion.chunk");
      json.key("choices").begin_array().end_array();
      write_usage(json, answer);
      events.push_back({EventKind::kUsage, sse(json.end_object().text())});
    }
    events.push_back({EventKind::kDone, "data: [DONE]\n\n"});
    return events;
  }

  std::string error(const ErrorText& error) const override {
    const ErrorRow& row = error_row(error.status);
    const std::string code =
        error.code.empty() ? std::string(row.openai_code) : error.code;
    JsonWriter json;
    json.begin_object().key("error").begin_object();
    json.field("message", error_message(error));
    json.field("type",
               error.type.empty() ? std::string(row.openai_type) : error.type);
    json.key("param").null().key("code");
    code.empty() ? json.null() : json.value(code);
    return json.end_object().end_object().take();
  }

  std::string error_event(const ErrorText& text) const override {
    return sse(error(text));
  }
  std::string unknown_event() const override {
    return "event: novelty\nid: 7\nretry: 10\ncolour: blue\n"
           "data: {\"object\":\"novelty\",\"choices\":[]}\n\n";
  }
  std::string keep_alive() const override { return ": keep-alive\n\n"; }
  std::string frame(std::string_view data) const override { return sse(data); }
  std::string_view line_start() const override { return "data: "; }
  std::string_view stream_type() const override { return "text/event-stream"; }
  std::string_view request_id_header() const override { return "x-request-id"; }
};

}  // namespace

const Dialect& openai() {
  static const OpenAi dialect;
  return dialect;
}

}  // namespace llmroute::stub
