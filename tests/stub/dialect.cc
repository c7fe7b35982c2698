#include "stub/dialect.h"

#include <fmt/format.h>

namespace llmroute::stub {
namespace {

constexpr size_t kFragment = 5;  // bytes

constexpr ErrorRow kErrors[] = {
    {400, "invalid_request_error", "invalid_value", "invalid_request_error"},
    {401, "invalid_request_error", "invalid_api_key", "authentication_error"},
    {402, "billing_error", "billing_not_active", "billing_error"},
    {403, "permission_error", "forbidden", "permission_error"},
    {404, "invalid_request_error", "model_not_found", "not_found_error"},
    {413, "invalid_request_error", "request_too_large", "request_too_large"},
    {429, "requests", "rate_limit_exceeded", "rate_limit_error"},
    {500, "server_error", "server_error", "api_error"},
    {503, "server_error", "overloaded", "overloaded_error"},
    {504, "server_error", "timeout", "timeout_error"},
    {529, "server_error", "overloaded", "overloaded_error"},
};
constexpr ErrorRow kClientError = {0, "invalid_request_error", "",
                                   "invalid_request_error"};
constexpr ErrorRow kServerError = {0, "server_error", "server_error",
                                   "api_error"};

}  // namespace

Delta delta_of(std::string_view text) {
  std::string literal;
  base::append_json_string(literal, text);
  return {literal.substr(1, literal.size() - 2),
          static_cast<int64_t>(text.size())};
}

std::string Answer::text_literal() const {
  std::string literal = "\"";
  for (const Delta& delta : deltas) literal += delta.inner;
  return literal + '"';
}

const Dialect* dialect_named(std::string_view name) {
  if (name == "openai") return &openai();
  if (name == "anthropic") return &anthropic();
  if (name == "responses") return &responses();
  if (name == "gemini") return &gemini();
  if (name == "ollama") return &ollama();
  return nullptr;
}

const Dialect* dialect_for(const Request& request) {
  if (request.method != "POST") return nullptr;
  if (request.path == "/v1/chat/completions") return &openai();
  if (request.path == "/v1/responses") return &responses();
  if (request.path == "/v1/messages") return &anthropic();
  if (request.path == "/api/chat") return &ollama();
  if (request.path.ends_with(":generateContent") ||
      request.path.ends_with(":streamGenerateContent")) {
    return &gemini();
  }
  return nullptr;
}

std::string text_of(simdjson::dom::element content) {
  std::string_view text;
  if (!content.get(text)) return std::string(text);
  std::string joined;
  simdjson::dom::array parts;
  if (content.get(parts)) return joined;
  for (simdjson::dom::element part : parts) {
    if (!part["text"].get(text)) joined += text;
  }
  return joined;
}

void gather(Ask& ask, simdjson::dom::element body) {
  std::string_view model, role;
  if (!body["model"].get(model)) ask.model = model;
  simdjson::dom::array messages;
  if (ask.model.empty()) ask.refused = "you must provide a model parameter";
  if (body["messages"].get(messages) || messages.size() == 0) {
    ask.refused = "'messages' must be a non-empty array";
    return;
  }
  for (simdjson::dom::element message : messages) {
    simdjson::dom::element content;
    if (message["role"].get(role) || message["content"].get(content)) continue;
    std::string text = text_of(content);
    ask.text_bytes += static_cast<int64_t>(text.size());
    if (role == "user") ask.prompt = std::move(text);
  }
}

std::string_view finish_word(const Answer& answer,
                             std::initializer_list<FinishWord> words) {
  for (const FinishWord& word : words) {
    if (word.ours == answer.finish) return word.theirs;
  }
  return answer.finish;
}

const ErrorRow& error_row(int64_t status) {
  for (const ErrorRow& row : kErrors) {
    if (row.status == status) return row;
  }
  return status < 500 ? kClientError : kServerError;
}

std::string error_message(const ErrorText& error) {
  if (!error.message.empty()) return error.message;
  return fmt::format("the stub was told to answer with status {}",
                     error.status);
}

std::vector<std::string_view> fragments(std::string_view arguments) {
  std::vector<std::string_view> parts;
  for (size_t at = 0; at < arguments.size(); at += kFragment) {
    parts.push_back(arguments.substr(at, kFragment));
  }
  return parts;
}

}  // namespace llmroute::stub
