// Lines of a batch: each becomes a record or says why not, and its result is a
// line of JSON in either form, with the input echoed. The first byte chooses
// how lines are taken.
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "base/json_text.h"
#include "base/utf8.h"
#include "batch/json_line.h"
#include "batch/record.h"
#include "batch/result_line.h"
#include "batch/split.h"

namespace {

using llmroute::batch::Form;
using llmroute::batch::JsonLine;
using llmroute::batch::Record;
using llmroute::batch::RecordOptions;
using llmroute::batch::Result;
using llmroute::batch::ResultOptions;

void check(bool holds) {
  if (!holds) std::abort();
}

RecordOptions options_of(uint8_t choice) {
  RecordOptions options;
  options.keep_input = true;
  options.ignore_unknown = (choice & 1) != 0;
  options.lines = (choice & 6) == 2;
  if ((choice & 6) == 4) {
    options.prompt = *llmroute::batch::Template::parse("Say {text}{a.0.b}{{}}");
  }
  return options;
}

// Each call has its result, and the user has said something.
void check_messages(const llmroute::core::Prompt& prompt) {
  using llmroute::core::Role;
  check(!prompt.messages.empty());
  check(prompt.messages.back().role != Role::kAssistant);
  check(!prompt.question().text.empty());
  std::multiset<std::string> open;
  for (const auto& message : prompt.messages) {
    check(!llmroute::base::find_invalid_utf8(message.text));
    if (message.role == Role::kTool) {
      check(open.erase(message.call_id) == 1);
      check(!message.call_name.empty());
    } else {
      check(open.empty());
    }
    for (const auto& call : message.calls) {
      const auto arguments = llmroute::base::read_json(call.arguments);
      check(arguments && arguments->root.is_object());
      check(!llmroute::base::find_invalid_utf8(call.name));
      check(!llmroute::base::find_invalid_utf8(call.id));
      open.insert(call.id);
    }
  }
  check(open.empty());
}

void check_record(const Record& record) {
  check(!record.id.empty());
  check(record.numeric_id || !llmroute::base::find_invalid_utf8(record.id));
  if (record.error) {
    check(!record.error->code.empty() && !record.error->message.empty());
    return;
  }
  check(!llmroute::base::find_invalid_utf8(record.prompt.system));
  check_messages(record.prompt);
  JsonLine json;
  for (const auto& [name, value] : record.prompt.parameters.extra) {
    check(json.is_value(value));
  }
  const auto& asked = record.prompt.parameters;
  if (!asked.schema.empty()) check(json.is_value(asked.schema));
  bool named = asked.tool_choice.name.empty();
  for (const auto& tool : asked.tools) {
    check(!tool.name.empty());
    if (!tool.parameters.empty()) check(json.is_value(tool.parameters));
    named |= tool.name == asked.tool_choice.name;
  }
  check(named);
  if (!record.meta.empty()) check(json.is_value(record.meta));
  check(llmroute::batch::custom_id_of(record).size() <= 64);
}

void check_result(const Record& record) {
  Result result;
  if (record.error) {
    result = unasked(record);
  } else {
    const std::string& text = record.prompt.question().text;
    result.reply.text = text;
    for (const auto& tool : record.prompt.parameters.tools) {
      result.reply.tool_calls.push_back({"", tool.name, text});
    }
  }
  JsonLine json;
  for (const Form form : {Form::kNative, Form::kOpenAi}) {
    ResultOptions options;
    options.form = form;
    options.echo = true;
    const std::string line = result_line(record, result, options);
    // The input is echoed one level down, so it may be a level too deep.
    const auto fault = json.parse(line, 1);
    check(!fault || fault->message.find("deeper") != std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  llmroute::batch::RecordParser parser(options_of(data[0]));
  for (int64_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const Record record = parser.parse(text.substr(0, end), number);
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
    check(record.line == number);
    check_record(record);
    check_result(record);
  }
  return 0;
}
