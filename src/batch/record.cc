#include "batch/record.h"

#include <fmt/format.h>

#include <utility>

#include "base/text.h"
#include "base/utf8.h"
#include "batch/native_record.h"
#include "batch/openai_record.h"
#include "batch/record_fields.h"

namespace llmroute::batch {
namespace {

// Down to body.messages[i].tool_calls[j].function.name.
constexpr int kLevelsOfRecord = 7;

void number_record(int64_t number, Record& record) {
  record.line = number;
  record.id = std::to_string(number);
}

// The id, if the object has one that can be one.
void take_data_id(const JsonNode& root, Record& record) {
  const JsonNode* id = root.find_value("id");
  if (id != nullptr) static_cast<void>(read_id(*id, "id", record));
}

}  // namespace

Record RecordParser::parse(std::string_view line, int64_t number) {
  Record record;
  parse(line, number, record);
  return record;
}

void RecordParser::parse(std::string_view line, int64_t number,
                         Record& record) {
  number_record(number, record);
  if (options_.keep_input) record.input = line;
  record.error = read(line, record);
}

Fault RecordParser::read(std::string_view line, Record& record) {
  if (!options_.lines) return read_object(line, record);
  if (const auto at = base::find_invalid_utf8(line)) {
    return RecordError{"not_utf8",
                       fmt::format("invalid UTF-8 at byte {}", *at)};
  }
  return set_prompt(std::string(line), record.prompt);
}

Fault RecordParser::read_object(std::string_view line, Record& record) {
  const auto& data = options_.prompt;
  LLMROUTE_FAULT(data ? json_.parse(line, data->levels(), JsonLine::What::kData)
                      : json_.parse(line, kLevelsOfRecord));
  const JsonNode& root = json_.root();
  record.input_is_json = options_.keep_input;
  if (data) {
    take_data_id(root, record);
    std::string text;
    LLMROUTE_FAULT(data->fill(root, text));
    return set_prompt(std::move(text), record.prompt);
  }
  const bool openai =
      root.find("custom_id") != nullptr || root.find("body") != nullptr;
  record.form = openai ? Form::kOpenAi : Form::kNative;
  const std::string_view id_field = openai ? "custom_id" : "id";
  if (const JsonNode* meta = root.find_value("meta")) {
    LLMROUTE_FAULT(read_meta(*meta, record));
  }
  if (const JsonNode* id = root.find_value(id_field)) {
    LLMROUTE_FAULT(read_id(*id, id_field, record));
  }
  return openai ? read_openai(root, options_.ignore_unknown, record)
                : read_native(root, options_.ignore_unknown, record);
}

Record too_long_record(int64_t number) {
  Record record;
  number_record(number, record);
  record.error = RecordError{"too_long", "the line is longer than 16 MiB"};
  return record;
}

RecordError duplicate_id(const Record& record) {
  return {"duplicate_id",
          fmt::format("the id '{}' occurred before", record.id)};
}

void override_routing(const Overrides& overrides, core::RoutingOptions& run) {
  if (overrides.model || overrides.route) {
    run.models.clear();
    run.route.reset();
    run.models_from_environment = run.route_from_environment = false;
    run.from_record = true;
  }
  if (overrides.model) run.models = {*overrides.model};
  if (overrides.route) run.route = overrides.route;
  if (overrides.fallback) run.fallback = *overrides.fallback;
  for (const auto& [name, value] : overrides.tags) run.tags[name] = value;
}

}  // namespace llmroute::batch
