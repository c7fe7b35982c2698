// What is to be answered: system text, messages, request parameters.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/tool_call.h"

namespace llmroute::core {

enum class Role { kUser, kAssistant, kTool };

struct Message {
  Role role = Role::kUser;
  std::string text;  // valid UTF-8
  // Of kAssistant: what it asked to be called, each with an id and an object
  // as arguments. A result of each, of kTool, comes next.
  std::vector<ToolCall> calls{};
  // Of kTool, whose text is what a call gave: that call.
  std::string call_id{}, call_name{};
};

inline bool is_user(const Message& message) {
  return message.role == Role::kUser;
}

// A function that the model may ask to be called.
struct Tool {
  std::string name;
  std::string description;  // empty: none
  std::string parameters;   // a JSON Schema, as it was given; empty: none
  std::optional<bool> strict;
};

// Which tools the model calls: those it likes, none, at least one, or the one
// of that name.
struct ToolChoice {
  enum class Kind { kAuto, kNone, kRequired, kNamed };
  Kind kind = Kind::kAuto;
  std::string name;      // of kNamed
  bool parallel = true;  // several calls in one answer are fine
};

// Sampling and limits that go to the provider; unset means: not sent
// (max_tokens: the model's own limit).
struct Parameters {
  std::optional<int64_t> max_tokens;
  std::optional<double> temperature;
  std::vector<std::string> stop;
  std::optional<int64_t> seed;
  // -O key=value: sent verbatim as a top-level field; the value is JSON text if
  // it parses as JSON, else a string.
  std::vector<std::pair<std::string, std::string>> extra;
  std::vector<Tool> tools;
  ToolChoice tool_choice;  // says nothing without tools
  std::string schema;      // the answer's JSON Schema; empty: any text will do

  // Whether a call would be an answer.
  bool may_call() const {
    return !tools.empty() && tool_choice.kind != ToolChoice::Kind::kNone;
  }
};

struct Prompt {
  std::string system;  // empty: none
  // At least one is the user's; the last is the user's or what a call gave.
  std::vector<Message> messages;
  // Byte offset in the question where the instruction begins; before it is
  // context (stdin, files).
  size_t instruction_begin = 0;
  std::vector<std::string> files;  // names given with -f, for rules
  Parameters parameters;

  // The user's last message: its text is what models are chosen for.
  const Message& question() const {
    return *std::find_if(messages.rbegin(), messages.rend(), is_user);
  }
  Message& question() {
    return *std::find_if(messages.rbegin(), messages.rend(), is_user);
  }
  std::string_view instruction() const {
    return std::string_view(question().text).substr(instruction_begin);
  }
  std::string_view context() const {
    return std::string_view(question().text).substr(0, instruction_begin);
  }
  // Whether there are calls among the messages.
  bool has_calls() const {
    return std::any_of(
        messages.begin(), messages.end(),
        [](const Message& message) { return !message.calls.empty(); });
  }
};

}  // namespace llmroute::core
