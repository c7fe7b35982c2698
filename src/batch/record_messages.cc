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

// Members that say something and are none of `known`.
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

Fault read_content(const JsonNode& message, std::string& text) {
  const JsonNode* content = message.find("content");
  if (content != nullptr && content->is(Kind::kArray)) {
    for (const JsonNode& part : content->children()) {
      LLMROUTE_FAULT(read_part(part, text));
    }
    return std::nullopt;
  }
  if (content == nullptr || !content->is(Kind::kString)) {
    return bad_value("'content' is not a string or a list of parts");
  }
  return read_text(*content, "content", text);
}

Fault read_message(const JsonNode& message, core::Prompt& prompt) {
  if (!message.is(Kind::kObject)) {
    return bad_value("not an object");
  }
  const JsonNode* type = message.find_value("type");
  if (type != nullptr && type->text != "message") {
    return unsupported(
        fmt::format("an item of type '{}' is not supported", type->text));
  }
  const std::string_view role = message.text_of("role");
  const bool system = role == "system" || role == "developer";
  if (!system && role != "user" && role != "assistant") {
    return unsupported(fmt::format("the role '{}' is not supported", role));
  }
  LLMROUTE_FAULT(
      refuse_others(message, {"role", "content", "type", "id", "status"}));
  std::string text;
  LLMROUTE_FAULT(read_content(message, text));
  if (system) {
    append_part(prompt.system, text, "\n\n");
  } else {
    prompt.messages.push_back(
        {role == "user" ? core::Role::kUser : core::Role::kAssistant,
         std::move(text)});
  }
  return std::nullopt;
}

Fault check_last(const core::Prompt& prompt) {
  if (prompt.messages.empty() ||
      prompt.messages.back().role != core::Role::kUser) {
    return bad_value("the last message is not the user's");
  }
  if (base::trim(prompt.messages.back().text).empty()) {
    return bad_value("the prompt is empty");
  }
  return std::nullopt;
}

}  // namespace

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
