// One line of a batch's input, read into what is to be asked. Lines come from
// outside: whatever is wrong with one is told in its record, and a record can
// choose among what is configured but never set an address, a key, a header or
// a command.
//
//   OpenAI batch   {"custom_id":"a","method":"POST",
//                   "url":"/v1/chat/completions","body":{"messages":[...]}}
//   native         {"id":"a","prompt":"..."} or "messages", with overrides
//   any object     with a template: its fields are data
//   plain line     the whole line is the prompt
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "batch/json_line.h"
#include "batch/record_error.h"
#include "batch/template.h"
#include "core/money.h"
#include "core/prompt.h"
#include "core/routing_options.h"

namespace llmroute::batch {

enum class Form { kNative, kOpenAi };

// What a record asks for itself. Unset: as the run has it.
struct Overrides {
  std::optional<std::string> model;  // a name; never "auto" or ""
  std::optional<std::string> route;
  std::optional<std::vector<std::string>> fallback;
  std::optional<std::chrono::milliseconds> timeout;  // above 0
  std::optional<core::Money> max_cost;
  std::map<std::string, std::string> tags;
};

struct Record {
  int64_t line = 0;
  std::string id;           // as text; without one, the line's number
  bool own_id = false;      // `id` is the record's own
  bool numeric_id = false;  // `id` was written as a number
  Form form = Form::kNative;
  bool responses = false;  // an OpenAI record for /v1/responses
  core::Prompt prompt;
  Overrides overrides;
  std::string meta;  // raw JSON; empty: none
  // The line, kept if RecordOptions says so.
  std::string input;
  bool input_is_json = false;  // one object, so that it can be echoed raw
  // Why it cannot be asked; then id, form, meta and input are what could be
  // read, the rest means nothing.
  Fault error;
};

struct RecordOptions {
  bool lines = false;              // plain lines
  std::optional<Template> prompt;  // any object
  bool ignore_unknown = false;     // fields that nobody knows
  bool keep_input = false;
};

// One thread; each thread of several has its own.
class RecordParser {
 public:
  explicit RecordParser(RecordOptions options) : options_(std::move(options)) {}

  // `line` as batch/input_lines.h hands it out.
  Record parse(std::string_view line, int64_t number);
  // The same into a record that holds nothing.
  void parse(std::string_view line, int64_t number, Record& record);

 private:
  Fault read(std::string_view line, Record& record);
  Fault read_object(std::string_view line, Record& record);

  RecordOptions options_;
  JsonLine json_;
};

// The record of a line that was not kept.
Record too_long_record(int64_t number);
RecordError duplicate_id(const Record& record);

// Changes the options of a run as a record wants: what it names comes first,
// its tags are added.
void override_routing(const Overrides& overrides, core::RoutingOptions& run);

}  // namespace llmroute::batch
