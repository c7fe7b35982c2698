// What a record says of functions that may be called, and of its answer's form.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "batch/record_fields.h"
#include "core/json_schema.h"
#include "core/tool_list.h"

namespace llmroute::batch {
namespace {

using Kind = JsonNode::Kind;
using Choice = core::ToolChoice::Kind;

constexpr std::string_view kAnyObject = R"({"type":"object"})";

Fault name_choice(const JsonNode& node, core::ToolChoice& choice) {
  const std::string_view type = node.text_of("type");
  if (type != "function") {
    return unsupported(
        fmt::format("'{}' of type '{}' is not supported", node.key, type));
  }
  const JsonNode* function = node.find_value("function");
  choice.kind = Choice::kNamed;
  choice.name = (function == nullptr ? node : *function).text_of("name");
  return std::nullopt;
}

}  // namespace

Fault read_tools(const JsonNode& node, Record& record) {
  if (is_absent(node)) return std::nullopt;
  for (const JsonNode& tool : node.children()) {
    const JsonNode* type = tool.find_value("type");
    if (type != nullptr && type->is(Kind::kString) &&
        type->text != "function") {
      return unsupported(fmt::format(
          "a tool of type '{}' is not supported, only functions", type->text));
    }
  }
  auto tools = core::read_tools(node.raw);
  if (!tools) {
    return bad_value(fmt::format("'{}': {}", node.key, tools.error().message));
  }
  record.prompt.parameters.tools = *std::move(tools);
  return std::nullopt;
}

Fault read_tool_choice(const JsonNode& node, Record& record) {
  constexpr std::pair<std::string_view, Choice> kWords[] = {
      {"auto", Choice::kAuto},
      {"none", Choice::kNone},
      {"required", Choice::kRequired}};
  core::ToolChoice& choice = record.prompt.parameters.tool_choice;
  if (node.is(Kind::kObject)) return name_choice(node, choice);
  const auto* const found = std::find_if(
      std::begin(kWords), std::end(kWords),
      [&node](const auto& word) { return word.first == node.text; });
  if (!node.is(Kind::kString) || found == std::end(kWords)) {
    return bad_value(fmt::format(
        "'{}' is not auto, none, required or a function", node.key));
  }
  choice.kind = found->second;
  return std::nullopt;
}

Fault read_parallel(const JsonNode& node, Record& record) {
  if (!node.is(Kind::kBool)) {
    return bad_value(fmt::format("'{}' is not true or false", node.key));
  }
  record.prompt.parameters.tool_choice.parallel = node.is_true();
  return std::nullopt;
}

Fault check_tool_choice(const Record& record) {
  const core::Parameters& asked = record.prompt.parameters;
  const core::ToolChoice& choice = asked.tool_choice;
  if (choice.kind == Choice::kRequired && asked.tools.empty()) {
    return bad_value("'tool_choice' is required, but there are no 'tools'");
  }
  const bool unknown = choice.kind == Choice::kNamed &&
                       std::none_of(asked.tools.begin(), asked.tools.end(),
                                    [&](const core::Tool& tool) {
                                      return tool.name == choice.name;
                                    });
  if (!unknown) return std::nullopt;
  return bad_value(fmt::format(
      "'tool_choice' names '{}', which is none of the 'tools'", choice.name));
}

Fault read_schema(const JsonNode& node, Record& record) {
  if (!node.is(Kind::kObject)) {
    return bad_value(fmt::format("'{}' is not an object", node.key));
  }
  auto schema = core::compact_schema(node.raw);
  if (!schema) {
    return bad_value(fmt::format("'{}': {}", node.key, schema.error().message));
  }
  record.prompt.parameters.schema = *std::move(schema);
  return std::nullopt;
}

Fault read_answer_form(const JsonNode& form, const JsonNode* holder,
                       Record& record) {
  if (!form.is(Kind::kObject)) {
    return bad_value(fmt::format("'{}' is not an object", form.key));
  }
  const std::string_view type = form.text_of("type");
  if (type == "text") return std::nullopt;
  if (type == "json_object") {
    record.prompt.parameters.schema = kAnyObject;
    return std::nullopt;
  }
  if (type != "json_schema") {
    return unsupported(
        fmt::format("'{}' of type '{}' is not supported", form.key, type));
  }
  const JsonNode* schema =
      holder == nullptr ? nullptr : holder->find_value("schema");
  if (schema != nullptr) return read_schema(*schema, record);
  return RecordError{"missing_field",
                     fmt::format("'{}' without its schema", form.key)};
}

}  // namespace llmroute::batch
