#include "batch/batch_output.h"

#include <fmt/format.h>

#include "core/finish_reason.h"

namespace llmroute::batch {
namespace {

using core::Finish;
using Kind = JsonNode::Kind;

// Down to response.body.choices[i].message.tool_calls[j].function.name.
constexpr int kLevels = 9;
constexpr int64_t kFirstServerError = 500;
constexpr int64_t kLargestCount = int64_t{1} << 53;  // so that sums are numbers

// Looks up a path of names; null if it breaks off.
const JsonNode* at(const JsonNode* node,
                   std::initializer_list<std::string_view> path) {
  for (const std::string_view name : path) {
    if (node == nullptr) return nullptr;
    node = node->find_value(name);
  }
  return node;
}

std::optional<int64_t> count(const JsonNode* node) {
  const int64_t given =
      node == nullptr ? -1 : node->whole_number().value_or(-1);
  if (given < 0 || given > kLargestCount) return std::nullopt;
  return given;
}

int64_t count_or_zero(const JsonNode* node) { return count(node).value_or(0); }

core::Usage usage_of(const JsonNode& body) {
  core::Usage usage;
  const JsonNode* given = body.find_value("usage");
  usage.input = count(at(given, {"prompt_tokens"}));
  usage.output = count(at(given, {"completion_tokens"}));
  usage.cached_input =
      count_or_zero(at(given, {"prompt_tokens_details", "cached_tokens"}));
  usage.reasoning = count_or_zero(
      at(given, {"completion_tokens_details", "reasoning_tokens"}));
  return usage;
}

// Half a surrogate pair in an answer is replaced when it is written.
std::string text_of(const JsonNode& content) {
  std::string text(content.text);
  for (const JsonNode& part : content.children()) text += part.text_of("text");
  return text;
}

void take_calls(const JsonNode& message, core::Reply& reply) {
  const JsonNode* calls = message.find_value("tool_calls");
  if (calls == nullptr) return;
  for (const JsonNode& call : calls->children()) {
    const JsonNode* function = call.find_value("function");
    if (function == nullptr) continue;
    reply.tool_calls.push_back({std::string(call.text_of("id")),
                                std::string(function->text_of("name")),
                                std::string(function->text_of("arguments"))});
  }
}

ResultError failed(std::string code, std::string message, bool retryable) {
  return {std::move(code), std::move(message), retryable, 0, ""};
}

void take_error(const JsonNode& error, Result& result) {
  std::string code(error.text_of("code"));
  if (code.empty()) code = error.text_of("type");
  const bool expired = code == "batch_expired" || code == "batch_cancelled";
  result.error = failed(code.empty() ? "failed" : code,
                        std::string(error.text_of("message")), expired);
}

void take_bad_status(const JsonNode& body, int64_t status, Result& result) {
  take_error(body, result);
  if (const JsonNode* error = body.find_value("error")) {
    take_error(*error, result);
  }
  result.error->http_status = static_cast<int>(status);
  result.error->retryable = status == 429 || status >= kFirstServerError;
}

void take_body(const JsonNode& body, Result& result) {
  const JsonNode* choices = body.find_value("choices");
  const JsonNode* message = nullptr;
  if (choices != nullptr && !choices->children().empty()) {
    const JsonNode& choice = *choices->children().begin();
    message = choice.find_value("message");
    result.reply.finish = core::finish_of(choice.text_of("finish_reason"));
  }
  if (message == nullptr) {
    result.error = failed("protocol", "the result holds no choice", false);
    return;
  }
  core::Reply& reply = result.reply;
  if (const JsonNode* content = message->find_value("content")) {
    reply.text = text_of(*content);
  }
  if (const std::string_view refusal = message->text_of("refusal");
      !refusal.empty()) {
    reply.text += refusal;
    reply.finish = Finish::kRefusal;
  }
  take_calls(*message, reply);
  reply.usage = usage_of(body);
  reply.served_model = body.text_of("model");
  result.created = count_or_zero(body.find_value("created"));
}

core::Usage anthropic_usage(const JsonNode& message) {
  core::Usage usage;
  const JsonNode* given = message.find_value("usage");
  usage.cached_input = count_or_zero(at(given, {"cache_read_input_tokens"}));
  usage.cache_write = count_or_zero(at(given, {"cache_creation_input_tokens"}));
  usage.input = count(at(given, {"input_tokens"}));
  if (usage.input) *usage.input += usage.cached_input + usage.cache_write;
  usage.output = count(at(given, {"output_tokens"}));
  return usage;
}

void take_message(const JsonNode& message, Result& result) {
  core::Reply& reply = result.reply;
  const JsonNode* content = message.find_value("content");
  if (content == nullptr) {
    result.error = failed("protocol", "the result holds no content", false);
    return;
  }
  for (const JsonNode& part : content->children()) {
    if (part.text_of("type") == "text") reply.text += part.text_of("text");
    if (part.text_of("type") != "tool_use") continue;
    const JsonNode* input = part.find_value("input");
    reply.tool_calls.push_back({std::string(part.text_of("id")),
                                std::string(part.text_of("name")),
                                std::string(input ? input->raw : "{}")});
  }
  reply.finish = core::finish_of(message.text_of("stop_reason"));
  reply.usage = anthropic_usage(message);
  reply.served_model = message.text_of("model");
}

void take_anthropic(const JsonNode& given, Result& result) {
  const std::string_view type = given.text_of("type");
  const JsonNode* message = given.find_value("message");
  const JsonNode* error = at(&given, {"error", "error"});
  if (type == "succeeded" && message != nullptr) {
    take_message(*message, result);
  } else if (type == "errored" && error != nullptr) {
    take_error(*error, result);
    result.error->retryable = result.error->code != "invalid_request_error";
  } else if (type == "expired") {
    result.error = failed("batch_expired", "the batch expired", true);
  } else if (type == "canceled") {
    result.error = failed("batch_cancelled", "the batch was canceled", true);
  } else {
    result.error = failed("protocol", "the result holds no message", false);
  }
}

}  // namespace

Fault read_batch_output(std::string_view line, JsonLine& json,
                        BatchOutput& output) {
  LLMROUTE_FAULT(json.parse(line, kLevels));
  const JsonNode& root = json.root();
  const JsonNode* custom_id = root.find_value("custom_id");
  const JsonNode* response = root.find_value("response");
  const JsonNode* error = root.find_value("error");
  const JsonNode* anthropic = root.find_value("result");
  if (custom_id == nullptr || !custom_id->is(Kind::kString) ||
      (response == nullptr && error == nullptr && anthropic == nullptr)) {
    return bad_value("not a line of a batch's results");
  }
  output.custom_id = custom_id->text;
  output.result = {};
  output.result.attempts = 1;
  if (anthropic != nullptr) {
    take_anthropic(*anthropic, output.result);
    return std::nullopt;
  }
  const JsonNode* body = at(response, {"body"});
  const JsonNode* status = at(response, {"status_code"});
  const int64_t code = status == nullptr ? 0 : count_or_zero(status);
  if (response != nullptr) {
    output.result.reply.request_id = response->text_of("request_id");
  }
  if (error != nullptr) {
    take_error(*error, output.result);
  } else if (body == nullptr || !body->is(Kind::kObject)) {
    output.result.error = failed("protocol", "the result holds no body", false);
  } else if (code >= 300) {
    take_bad_status(*body, code, output.result);
  } else {
    take_body(*body, output.result);
  }
  return std::nullopt;
}

}  // namespace llmroute::batch
