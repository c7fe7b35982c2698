#include <algorithm>

#include "stub/dialect.h"

namespace llmroute::stub {
namespace {

using base::JsonWriter;
using simdjson::dom::element;

// Its lines end in CR LF, and there is no [DONE].
std::string sse(std::string_view json) {
  return "data: " + std::string(json) + "\r\n\r\n";
}

// "m" of "/v1beta/models/m:generateContent".
std::string model_of(const std::string& path) {
  constexpr std::string_view kModels = "/models/";
  const size_t at = path.find(kModels);
  if (at == std::string::npos) return {};
  const size_t from = at + kModels.size();
  return path.substr(from, path.rfind(':') - from);
}

std::string_view finish_of(const Answer& answer) {
  return finish_word(answer, {{"stop", "STOP"},
                              {"length", "MAX_TOKENS"},
                              {"tool", "STOP"},
                              {"filter", "SAFETY"},
                              {"refusal", "SAFETY"}});
}

// Before the end only the prompt has been counted.
void write_usage(JsonWriter& json, const Answer& answer, bool at_end) {
  if (answer.usage_form == UsageForm::kOmitted) return;
  json.key("usageMetadata");
  if (answer.usage_form == UsageForm::kText) {
    json.raw(answer.usage_text);
    return;
  }
  const Usage& usage = answer.usage;
  json.begin_object().field("promptTokenCount", usage.input);
  if (usage.cached > 0) json.field("cachedContentTokenCount", usage.cached);
  if (at_end) {
    json.field("candidatesTokenCount", usage.output - usage.reasoning);
    if (usage.reasoning > 0) json.field("thoughtsTokenCount", usage.reasoning);
  }
  json.field("totalTokenCount", usage.input + (at_end ? usage.output : 0));
  json.end_object();
}

// `parts`: JSON values with commas between them.
std::string chunk(const Answer& answer, std::string_view parts,
                  std::string_view finish = "") {
  JsonWriter json;
  json.begin_object().key("candidates").begin_array().begin_object();
  json.key("content").begin_object();
  json.key("parts").raw("[" + std::string(parts) + "]");
  json.field("role", "model").end_object();
  if (!finish.empty()) json.field("finishReason", finish);
  json.field("index", 0).end_object().end_array();
  write_usage(json, answer, !finish.empty());
  json.field("modelVersion", answer.model).field("responseId", answer.id);
  return json.end_object().take();
}

std::string thought(const Answer& answer) {
  JsonWriter json;
  json.begin_object().field("text", answer.reasoning).field("thought", true);
  return json.end_object().take();
}

std::string call_part(const ToolCall& call) {
  JsonWriter json;
  json.begin_object().key("functionCall").begin_object();
  json.field("name", call.name).key("args").raw(call.arguments);
  return json.end_object().end_object().take();
}

std::string text_part(const std::string& literal) {
  return "{\"text\":" + literal + "}";
}

void gather_contents(Ask& ask, element body) {
  simdjson::dom::array contents;
  if (body["contents"].get(contents) || contents.size() == 0) {
    ask.refused = "contents is not specified";
    return;
  }
  for (element content : contents) {
    element parts;
    std::string_view role;
    if (content["role"].get(role) || content["parts"].get(parts)) continue;
    std::string text = text_of(parts);
    ask.text_bytes += static_cast<int64_t>(text.size());
    if (role == "user") ask.prompt = std::move(text);
  }
}

class Gemini : public Dialect {
 public:
  Ask read(const Request& request) const override {
    Ask ask;
    ask.model = model_of(request.path);
    ask.stream = request.path.ends_with(":streamGenerateContent");
    ask.include_usage = true;
    simdjson::dom::parser parser;
    element body, system;
    if (parser.parse(request.body).get(body) || !body.is_object()) {
      ask.refused = "Invalid JSON payload received.";
      return ask;
    }
    gather_contents(ask, body);
    if (!body["systemInstruction"]["parts"].get(system)) {
      ask.text_bytes += static_cast<int64_t>(text_of(system).size());
    }
    int64_t limit = 0;
    if (!body["generationConfig"]["maxOutputTokens"].get(limit)) {
      ask.max_tokens = limit;
    }
    if (ask.stream && !request.target.ends_with("?alt=sse")) {
      ask.refused = "the stub streams with alt=sse only";
    }
    return ask;
  }

  std::string whole(const Answer& answer) const override {
    std::string parts;
    const auto add = [&parts](const std::string& part) {
      if (!parts.empty()) parts += ',';
      parts += part;
    };
    if (!answer.reasoning.empty()) add(thought(answer));
    if (!answer.deltas.empty()) add(text_part(answer.text_literal()));
    for (const ToolCall& call : answer.tool_calls) add(call_part(call));
    return chunk(answer, parts, finish_of(answer));
  }

  std::vector<Event> stream(const Answer& answer) const override {
    std::vector<Event> events;
    if (!answer.reasoning.empty()) {
      events.push_back(
          {EventKind::kStart, sse(chunk(answer, thought(answer)))});
    }
    for (const Delta& delta : answer.deltas) {
      events.push_back(
          {EventKind::kDelta,
           sse(chunk(answer, text_part("\"" + delta.inner + "\""))),
           delta.bytes});
    }
    for (const ToolCall& call : answer.tool_calls) {
      events.push_back({EventKind::kDelta, sse(chunk(answer, call_part(call))),
                        static_cast<int64_t>(call.arguments.size())});
    }
    events.push_back({EventKind::kDone,
                      sse(chunk(answer, R"({"text":""})", finish_of(answer)))});
    return events;
  }

  std::string error(const ErrorText& error) const override {
    JsonWriter json;
    json.begin_object().key("error").begin_object();
    json.field("code", error.status).field("message", error_message(error));
    json.field("status", error.type.empty()
                             ? std::string(status_name(error.status))
                             : error.type);
    return json.end_object().end_object().take();
  }

  std::string error_event(const ErrorText& text) const override {
    return sse(error(text));
  }
  std::string unknown_event() const override {
    return sse(R"({"colour":"blue"})");
  }
  std::string keep_alive() const override { return ": keep-alive\r\n\r\n"; }
  std::string frame(std::string_view data) const override { return sse(data); }
  std::string_view line_start() const override { return "data: "; }
  std::string_view stream_type() const override { return "text/event-stream"; }
  std::string_view request_id_header() const override { return "x-request-id"; }

 private:
  static std::string_view status_name(int64_t status) {
    constexpr std::pair<int64_t, std::string_view> kNames[] = {
        {400, "INVALID_ARGUMENT"},   {401, "UNAUTHENTICATED"},
        {403, "PERMISSION_DENIED"},  {404, "NOT_FOUND"},
        {429, "RESOURCE_EXHAUSTED"}, {503, "UNAVAILABLE"},
        {504, "DEADLINE_EXCEEDED"}};
    for (const auto& [number, name] : kNames) {
      if (number == status) return name;
    }
    return status < 500 ? "FAILED_PRECONDITION" : "INTERNAL";
  }
};

}  // namespace

const Dialect& gemini() {
  static const Gemini dialect;
  return dialect;
}

}  // namespace llmroute::stub
