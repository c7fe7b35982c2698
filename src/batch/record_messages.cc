// Messages of a record, in the forms of chat completions and of responses.
#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "base/text.h"
#include "batch/record_fields.h"

namespace llmroute::batch {
namespace {

using Kind = JsonNode::Kind;

void append_part(std::string& text, std::string_view part,
                 std::string_view between) {
  if (!text.empty() && !part.empty()) text += between;
  text += part;
}

Fault read_part(const JsonNode& part, std::string& text) {
  const std::string_view type = part.text_of("type");
  if (type != "text" && type != "input_text" && type != "output_text") {
    return unsupported(
        fmt::format("a part of type '{}' is not supported", type));
  }
  LLMROUTE_FAULT(refuse_others(part, {"type", "text"}));
  const JsonNode* content = part.find("text");
  if (content == nullptr) {
    return bad_value("a part without 'text'");
  }
  std::string one;
  LLMROUTE_FAULT(read_text(*content, "text", one));
  append_part(text, one, "\n");
  return std::nullopt;
}

// A string or a list of parts, in the member of that name.
Fault read_content(const JsonNode& message, const char* name,
                   std::string& text) {
  const JsonNode* content = message.find(name);
  if (content != nullptr && content->is(Kind::kArray)) {
    for (const JsonNode& part : content->children()) {
      LLMROUTE_FAULT(read_part(part, text));
    }
    return std::nullopt;
  }
  if (content == nullptr || !content->is(Kind::kString)) {
    return bad_value(
        fmt::format("'{}' is not a string or a list of parts", name));
  }
  return read_text(*content, name, text);
}

Fault read_result(const JsonNode& message, const char* id, const char* content,
                  core::Prompt& prompt) {
  core::Message result;
  LLMROUTE_FAULT(match_call(message.find_value(id), prompt, result));
  LLMROUTE_FAULT(read_content(message, content, result.text));
  prompt.messages.push_back(std::move(result));
  return std::nullopt;
}

// With calls there need be no text.
Fault read_answer(const JsonNode& message, core::Prompt& prompt) {
  LLMROUTE_FAULT(refuse_others(
      message, {"role", "content", "type", "id", "status", "tool_calls"}));
  core::Message answer{core::Role::kAssistant, {}};
  if (const JsonNode* calls = message.find_value("tool_calls")) {
    LLMROUTE_FAULT(read_calls(*calls, answer));
  }
  if (answer.calls.empty() || message.find_value("content") != nullptr) {
    LLMROUTE_FAULT(read_content(message, "content", answer.text));
  }
  prompt.messages.push_back(std::move(answer));
  return std::nullopt;
}

// Items of responses. A call belongs to the answer before it.
Fault read_item(const JsonNode& item, std::string_view type,
                core::Prompt& prompt) {
  if (type == "function_call") {
    auto& messages = prompt.messages;
    if (messages.empty() || messages.back().role != core::Role::kAssistant) {
      LLMROUTE_FAULT(check_results(prompt));
      messages.push_back({core::Role::kAssistant, {}});
    }
    return read_call(item, messages.back());
  }
  if (type == "function_call_output") {
    LLMROUTE_FAULT(
        refuse_others(item, {"type", "id", "call_id", "output", "status"}));
    return read_result(item, "call_id", "output", prompt);
  }
  return unsupported(
      fmt::format("an item of type '{}' is not supported", type));
}

Fault read_message(const JsonNode& message, core::Prompt& prompt) {
  if (!message.is(Kind::kObject)) {
    return bad_value("not an object");
  }
  const JsonNode* type = message.find_value("type");
  if (type != nullptr && type->text != "message") {
    return read_item(message, type->text, prompt);
  }
  const std::string_view role = message.text_of("role");
  if (role == "tool") {
    LLMROUTE_FAULT(refuse_others(
        message, {"role", "content", "tool_call_id", "name", "type"}));
    return read_result(message, "tool_call_id", "content", prompt);
  }
  if (role == "user" || role == "assistant") {
    LLMROUTE_FAULT(check_results(prompt));
  }
  if (role == "assistant") return read_answer(message, prompt);
  if (role != "user" && role != "system" && role != "developer") {
    return unsupported(fmt::format("the role '{}' is not supported", role));
  }
  LLMROUTE_FAULT(
      refuse_others(message, {"role", "content", "type", "id", "status"}));
  std::string text;
  LLMROUTE_FAULT(read_content(message, "content", text));
  if (role == "user") {
    prompt.messages.push_back({core::Role::kUser, std::move(text)});
  } else {
    append_part(prompt.system, text, "\n\n");
  }
  return std::nullopt;
}

Fault check_last(const core::Prompt& prompt) {
  LLMROUTE_FAULT(check_results(prompt));
  if (prompt.messages.empty() ||
      prompt.messages.back().role == core::Role::kAssistant) {
    return bad_value("the last message is not the user's");
  }
  const bool asks = std::any_of(prompt.messages.begin(), prompt.messages.end(),
                                core::is_user) &&
                    !base::trim(prompt.question().text).empty();
  return asks ? Fault() : bad_value("the prompt is empty");
}

}  // namespace

Fault refuse_others(const JsonNode& object,
                    std::initializer_list<std::string_view> known) {
  for (const JsonNode& member : object.children()) {
    if (is_absent(member)) continue;
    if (std::find(known.begin(), known.end(), member.key) == known.end()) {
      return unsupported(fmt::format("'{}' is not supported", member.key));
    }
  }
  return std::nullopt;
}

Fault read_messages(const JsonNode& list, std::string_view field,
                    core::Prompt& prompt) {
  if (!list.is(Kind::kArray)) {
    return bad_value(fmt::format("'{}' is not a list", field));
  }
  size_t index = 0;
  for (const JsonNode& message : list.children()) {
    if (Fault fault = read_message(message, prompt)) {
      fault->message = fmt::format("{}[{}]: {}", field, index, fault->message);
      return fault;
    }
    ++index;
  }
  return check_last(prompt);
}

Fault set_prompt(std::string text, core::Prompt& prompt) {
  prompt.messages.clear();
  prompt.messages.push_back({core::Role::kUser, std::move(text)});
  return check_last(prompt);
}

}  // namespace llmroute::batch
