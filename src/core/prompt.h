// What is to be answered: system text, messages, request parameters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace llmroute::core {

enum class Role { kUser, kAssistant };

struct Message {
  Role role = Role::kUser;
  std::string text;  // valid UTF-8
};

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
};

struct Prompt {
  std::string system;             // empty: none
  std::vector<Message> messages;  // at least one; the last is the user's
  // Byte offset in the last message where the instruction begins; before it is
  // context (stdin, files).
  size_t instruction_begin = 0;
  std::vector<std::string> files;  // names given with -f, for rules
  Parameters parameters;

  std::string_view instruction() const {
    return std::string_view(messages.back().text).substr(instruction_begin);
  }
  std::string_view context() const {
    return std::string_view(messages.back().text).substr(0, instruction_begin);
  }
};

}  // namespace llmroute::core
