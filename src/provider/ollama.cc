#include "provider/ollama.h"

#include <algorithm>

#include "base/json_writer.h"
#include "core/finish_reason.h"
#include "core/needs.h"
#include "core/tokens.h"
#include "provider/curl_transport.h"
#include "provider/request_body.h"
#include "provider/request_headers.h"
#include "provider/tools.h"

namespace llmroute::provider {
namespace {

using core::Finish;

constexpr int64_t kUsualContext = 32'768;
constexpr int64_t kUsualOutput = 4096;
constexpr size_t kLongestListing = size_t{8} << 20;

// Calls have no ids here: their order tells which result is whose.
void write_message(base::JsonWriter& json, const core::Message& message) {
  const bool result = message.role == core::Role::kTool;
  const bool user = message.role == core::Role::kUser;
  json.begin_object();
  json.field("role", result ? "tool" : user ? "user" : "assistant");
  json.field("content", message.text);
  if (result) json.field("tool_name", message.call_name);
  if (!message.calls.empty()) {
    json.key("tool_calls").begin_array();
    for (const core::ToolCall& call : message.calls) {
      json.begin_object().key("function").begin_object();
      json.field("name", call.name).key("arguments").raw(call.arguments);
      json.end_object().end_object();
    }
    json.end_array();
  }
  json.end_object();
}

std::string messages_json(const core::Prompt& prompt) {
  base::JsonWriter json;
  json.begin_array();
  if (!prompt.system.empty()) {
    json.begin_object().field("role", "system");
    json.field("content", prompt.system).end_object();
  }
  for (const core::Message& one : prompt.messages) write_message(json, one);
  return json.end_array().take();
}

// Tokens of context to ask for. The server reserves memory for all of them and
// loads the model again when the number changes, so it moves in few steps.
int64_t context_tokens(const Call& call, int64_t window) {
  const int64_t output =
      call.output_cap > 0 ? call.output_cap
                          : call.model.max_output_tokens.value_or(kUsualOutput);
  const int64_t needed = core::input_token_bound(call.prompt) + output;
  int64_t tokens = kUsualContext;
  while (tokens < needed && tokens < window) tokens *= 2;
  return std::min(tokens, window);
}

std::string options_json(const Call& call) {
  const core::Parameters& parameters = call.prompt.parameters;
  RequestBody options;
  if (call.output_cap > 0) options.set_number("num_predict", call.output_cap);
  if (call.model.context_window) {
    options.set_number("num_ctx",
                       context_tokens(call, *call.model.context_window));
  }
  if (parameters.temperature && call.model.accepts_temperature) {
    options.set_number("temperature", *parameters.temperature);
  }
  if (!parameters.stop.empty()) options.set_texts("stop", parameters.stop);
  if (parameters.seed) options.set_number("seed", *parameters.seed);
  return options.text();
}

bool calls_functions(const Json& model) {
  const std::vector<Json>& able = model["capabilities"].items();
  return std::any_of(able.begin(), able.end(),
                     [](const Json& one) { return one.text() == "tools"; });
}

// Collects a listing.
class Listing : public Receiver {
 public:
  bool on_head(const ResponseHead& head) override {
    status = head.status;
    return true;
  }
  bool on_body(std::string_view bytes) override {
    body += bytes;
    return body.size() < kLongestListing;
  }
  bool on_pause() override { return true; }
  bool has_content() const override { return !body.empty(); }
  bool complete() const override { return false; }

  int status = 0;
  std::string body;
};

}  // namespace

HttpRequest ollama_request(const Call& call) {
  RequestBody body;
  body.set_text("model", call.model.id)
      .set("messages", messages_json(call.prompt))
      .set_flag("stream", call.stream)
      .set_flag("truncate", false);
  const std::string options = options_json(call);
  if (options != "{}") body.set("options", options);
  const core::Parameters& parameters = call.prompt.parameters;
  if (core::tells_tools(call.model, call.provider, parameters)) {
    body.set("tools", chat_tools_json(parameters.tools));
  }
  if (!parameters.schema.empty()) body.set("format", parameters.schema);
  body.set_extra(call.prompt.parameters);
  HttpRequest request;
  request.url = join_url(call.provider.base_url, "/api", "/chat", false);
  add_key(call, "Authorization", request);
  request.body = body.text();
  return with_common_headers(call, std::move(request));
}

void OllamaDecoder::on_event(const Json& event, bool unterminated,
                             Answer& answer) {
  const bool done = event["done"].is_true();
  if (unterminated && !done) return;
  const Json& message = event["message"];
  answer.text += message["content"].text();
  // Always whole, whatever their index.
  for (const Json& call : message["tool_calls"].items()) {
    const Json& function = call["function"];
    answer.tool_calls.add() = {std::string(call["id"].text()),
                               std::string(function["name"].text()),
                               arguments_of(function["arguments"])};
  }
  if (!answer.text.empty() || message.has("thinking") ||
      !answer.tool_calls.empty()) {
    answer.has_content = true;
  }
  if (!event["model"].text().empty()) {
    answer.served_model = event["model"].text();
  }
  if (!done) return;
  if (event["done_reason"].string() == "") {
    answer.error = ErrorFacts();
    answer.error->message = "the model's runner broke off";
    return;
  }
  const std::string_view reason = event["done_reason"].text();
  answer.finish = reason.empty() ? Finish::kStop : core::finish_of(reason);
  answer.usage.input = event["prompt_eval_count"].count();
  answer.usage.output = event["eval_count"].count();
  answer.complete = true;
}

void OllamaDecoder::on_document(const Json& document, Answer& answer) {
  on_event(document, false, answer);
}

base::Result<std::vector<OllamaModel>> list_ollama_models(
    const core::Provider& provider, std::chrono::milliseconds timeout,
    Transport& transport) {
  HttpRequest request;
  request.method = "GET";
  request.url = join_url(provider.base_url, "/api", "/tags", false);
  request.headers.emplace_back("Accept", "application/json");
  request.timeouts = {timeout, timeout, timeout, timeout};
  request.ca_file = provider.ca_file;
  Listing listing;
  if (const auto failure = transport.send(request, listing)) {
    return base::Error{base::ErrorKind::kTryLater, failure->message};
  }
  const auto json = base::read_json(listing.body);
  if (listing.status != 200 || !json || !json->root["models"].is_array()) {
    return base::Error{base::ErrorKind::kProtocol,
                       request.url + " does not list models"};
  }
  std::vector<OllamaModel> models;
  for (const Json& model : json->root["models"].items()) {
    const Json& details = model["details"];
    models.push_back({std::string(model["name"].text()),
                      std::string(details["parameter_size"].text()),
                      details["context_length"].count(),
                      calls_functions(model)});
  }
  return models;
}

base::Result<std::vector<OllamaModel>> list_ollama_models(
    const core::Provider& provider, std::chrono::milliseconds timeout) {
  return list_ollama_models(provider, timeout, curl_transport());
}

}  // namespace llmroute::provider
