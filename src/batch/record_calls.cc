// Calls of functions among the messages of a record, and what they gave.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/json_text.h"
#include "base/text.h"
#include "batch/record_fields.h"

namespace llmroute::batch {
namespace {

using Kind = JsonNode::Kind;

// A string that holds an object, or that object: not every protocol takes
// anything else.
Fault read_arguments(const JsonNode* node, std::string& arguments) {
  arguments = "{}";
  if (node == nullptr) return std::nullopt;
  if (node->is(Kind::kObject)) {
    arguments = node->raw;
  } else {
    LLMROUTE_FAULT(read_text(*node, "arguments", arguments));
    if (base::trim(arguments).empty()) arguments = "{}";
  }
  const auto read = base::read_json(arguments);
  if (read && !read->repaired && read->root.is_object()) return std::nullopt;
  return bad_value("'arguments' of a call are no JSON object");
}

Fault read_member(const JsonNode& object, std::string_view name,
                  std::string& text) {
  const JsonNode* member = object.find_value(name);
  return member == nullptr ? Fault() : read_text(*member, name, text);
}

// The members of a call that stand under "function", or beside its id.
Fault read_function(const JsonNode& function, core::ToolCall& call) {
  LLMROUTE_FAULT(read_member(function, "name", call.name));
  if (call.name.empty()) return bad_value("a call without 'name'");
  return read_arguments(function.find_value("arguments"), call.arguments);
}

const core::Message* last_answer(const core::Prompt& prompt) {
  const auto found =
      std::find_if(prompt.messages.rbegin(), prompt.messages.rend(),
                   [](const core::Message& message) {
                     return message.role != core::Role::kTool;
                   });
  return found == prompt.messages.rend() ? nullptr : &*found;
}

bool has_result(const core::Prompt& prompt, const core::Message& answer,
                const std::string& id) {
  return std::any_of(
      prompt.messages.data() + (&answer - prompt.messages.data()) + 1,
      prompt.messages.data() + prompt.messages.size(),
      [&id](const core::Message& message) { return message.call_id == id; });
}

}  // namespace

Fault read_call(const JsonNode& node, core::Message& answer) {
  const std::string_view type = node.text_of("type");
  if (!type.empty() && type != "function" && type != "function_call") {
    return unsupported(
        fmt::format("a call of type '{}' is not supported", type));
  }
  core::ToolCall call;
  LLMROUTE_FAULT(
      read_member(node, type == "function_call" ? "call_id" : "id", call.id));
  const JsonNode* function = node.find_value("function");
  if (type == "function_call") {
    LLMROUTE_FAULT(refuse_others(
        node, {"type", "id", "call_id", "name", "arguments", "status"}));
  } else if (function != nullptr) {
    LLMROUTE_FAULT(refuse_others(node, {"type", "id", "function", "index"}));
    LLMROUTE_FAULT(refuse_others(*function, {"name", "arguments"}));
  } else {
    LLMROUTE_FAULT(refuse_others(node, {"type", "id", "name", "arguments"}));
  }
  LLMROUTE_FAULT(read_function(function == nullptr ? node : *function, call));
  if (call.id.empty()) {
    return bad_value("a call without an id, so that no result can be its own");
  }
  for (const core::ToolCall& other : answer.calls) {
    if (other.id == call.id) {
      return bad_value(fmt::format("two calls have the id '{}'", call.id));
    }
  }
  answer.calls.push_back(std::move(call));
  return std::nullopt;
}

Fault read_calls(const JsonNode& list, core::Message& answer) {
  if (!list.is(Kind::kArray)) {
    return bad_value(fmt::format("'{}' is not a list", list.key));
  }
  for (const JsonNode& call : list.children()) {
    LLMROUTE_FAULT(read_call(call, answer));
  }
  return std::nullopt;
}

Fault match_call(const JsonNode* id, const core::Prompt& prompt,
                 core::Message& result) {
  result.role = core::Role::kTool;
  if (id != nullptr) LLMROUTE_FAULT(read_text(*id, id->key, result.call_id));
  if (result.call_id.empty()) {
    return bad_value("a result that does not say of which call it is");
  }
  const core::Message* answer = last_answer(prompt);
  if (answer != nullptr) {
    for (const core::ToolCall& call : answer->calls) {
      if (call.id == result.call_id) result.call_name = call.name;
    }
  }
  if (result.call_name.empty()) {
    return bad_value(
        fmt::format("the answer before has no call with the id "
                    "'{}'",
                    result.call_id));
  }
  if (!has_result(prompt, *answer, result.call_id)) return std::nullopt;
  return bad_value(
      fmt::format("the call '{}' has its result twice", result.call_id));
}

Fault check_results(const core::Prompt& prompt) {
  const core::Message* answer = last_answer(prompt);
  if (answer == nullptr) return std::nullopt;
  for (const core::ToolCall& call : answer->calls) {
    if (!has_result(prompt, *answer, call.id)) {
      return bad_value(
          fmt::format("the call '{}' before has no result (role "
                      "'tool')",
                      call.id));
    }
  }
  return std::nullopt;
}

}  // namespace llmroute::batch
