// Values of a record's fields. Each function checks a node and stores it; a
// fault names the field.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "batch/json_line.h"
#include "batch/record.h"
#include "batch/record_error.h"

namespace llmroute::batch {

// A field by name and what reads it. Null values are never handed to it.
struct FieldRow {
  std::string_view name;
  Fault (*read)(const JsonNode& node, Record& record);
};

// For fields that are read elsewhere or change nothing.
Fault passed_over(const JsonNode& node, Record& record);

// Reads the members of an object that rows name. A member that no row names is
// a fault, unless ignored; one that would set an address, a key, a header or a
// command always is.
Fault read_fields(const JsonNode& object, std::span<const FieldRow> rows,
                  bool ignore_unknown, Record& record);

// Whether a field of this name would set an address, a key, a header or a
// command.
bool is_refused(std::string_view name);
RecordError refused_field(std::string_view name);
RecordError unknown_field(std::string_view name,
                          std::span<const FieldRow> rows);
// Whether the name looks like a slip of a row's.
bool is_near_miss(std::string_view name, std::span<const FieldRow> rows);

Fault read_text(const JsonNode& node, std::string_view field,
                std::string& text);
// A string or a number; not empty.
Fault read_id(const JsonNode& node, std::string_view field, Record& record);
// A string or a list of strings.
Fault read_texts(const JsonNode& node, std::string_view field,
                 std::vector<std::string>& texts);
Fault read_model(const JsonNode& node, Record& record);
// A whole number of at least 1.
Fault read_max_tokens(const JsonNode& node, Record& record);
Fault read_temperature(const JsonNode& node, Record& record);
Fault read_stop(const JsonNode& node, Record& record);
Fault read_seed(const JsonNode& node, Record& record);
Fault read_meta(const JsonNode& node, Record& record);

// Functions in the form of --tools; none in an empty list.
Fault read_tools(const JsonNode& node, Record& record);
// "auto", "none", "required" or a function by name, as in chat completions or
// in responses.
Fault read_tool_choice(const JsonNode& node, Record& record);
Fault read_parallel(const JsonNode& node, Record& record);
// Whether what was chosen is there. REQUIRES: all fields are read.
Fault check_tool_choice(const Record& record);
// A JSON Schema that the answer must fit.
Fault read_schema(const JsonNode& node, Record& record);
// {"type"} of "text", "json_object" or "json_schema"; the schema of the last is
// a member of `holder`, null if there is none.
Fault read_answer_form(const JsonNode& form, const JsonNode* holder,
                       Record& record);

// A list of {"role", "content"}, with system text in any place of it: it is
// collected behind what prompt.system holds. Calls, "tool_calls" of an answer
// or items of their own as in responses, have their results behind them. The
// last message must be the user's or a result.
Fault read_messages(const JsonNode& list, std::string_view field,
                    core::Prompt& prompt);
// Of a message or an item "function_call": the calls of an answer, behind those
// that `answer` has.
Fault read_calls(const JsonNode& list, core::Message& answer);
Fault read_call(const JsonNode& call, core::Message& answer);
// Makes `result` that of the call with this id among the last answer's.
Fault match_call(const JsonNode* id, const core::Prompt& prompt,
                 core::Message& result);
// Whether each call of the last answer has its result.
Fault check_results(const core::Prompt& prompt);

// A part or a message: members that say something and are none of `known`.
Fault refuse_others(const JsonNode& object,
                    std::initializer_list<std::string_view> known);

// Makes `text` the only message.
Fault set_prompt(std::string text, core::Prompt& prompt);

// Whether a value says nothing: null, [], false.
bool is_absent(const JsonNode& node);

}  // namespace llmroute::batch
