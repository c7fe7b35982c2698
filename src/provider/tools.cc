#include "provider/tools.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/needs.h"
#include "provider/text_joiner.h"

namespace llmroute::provider {
namespace {

using base::Json;
using core::ToolCall;

void joined(std::string& text) {
  TextJoiner joiner;
  text = joiner.add(text);
  text += joiner.finish();
}

bool is_closed(const Json& schema) {
  const Json* additional = schema.find("additionalProperties");
  if (additional == nullptr || additional->kind() != Json::Kind::kBool ||
      additional->is_true()) {
    return false;
  }
  const std::vector<Json>& required = schema["required"].items();
  const std::vector<std::string>& names = schema["properties"].names();
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
    return std::any_of(required.begin(), required.end(),
                       [&name](const Json& one) { return one.text() == name; });
  });
}

bool may_be_object(const Json& schema) {
  const Json& type = schema["type"];
  return type.text() == "object" || schema.has("properties") ||
         std::any_of(type.items().begin(), type.items().end(),
                     [](const Json& one) { return one.text() == "object"; });
}

bool is_strict(const Json& schema);

bool all_strict(const std::vector<Json>& schemas) {
  return std::all_of(schemas.begin(), schemas.end(), is_strict);
}

bool is_strict_keyword(const std::string& name, const Json& value) {
  constexpr std::array<std::string_view, 18> kOthers = {
      "$schema",  "$ref",       "title",
      "type",     "enum",       "const",
      "required", "pattern",    "description",
      "format",   "minimum",    "additionalProperties",
      "maximum",  "maxItems",   "exclusiveMinimum",
      "minItems", "multipleOf", "exclusiveMaximum"};
  const bool several =
      name == "properties" || name == "$defs" || name == "anyOf";
  if (several) return all_strict(value.items());
  if (name == "items") return is_strict(value);
  return std::find(kOthers.begin(), kOthers.end(), name) != kOthers.end();
}

bool is_strict(const Json& schema) {
  if (!schema.is_object()) return false;
  if (may_be_object(schema) && !is_closed(schema)) return false;
  for (size_t i = 0; i < schema.names().size(); ++i) {
    if (!is_strict_keyword(schema.names()[i], schema.items()[i])) return false;
  }
  return true;
}

void write_chat_calls(base::JsonWriter& json,
                      const std::vector<ToolCall>& calls) {
  json.key("tool_calls").begin_array();
  for (const ToolCall& call : calls) {
    json.begin_object().field("id", call.id).field("type", "function");
    json.key("function").begin_object().field("name", call.name);
    json.field("arguments", call.arguments).end_object().end_object();
  }
  json.end_array();
}

std::string response_format(std::string_view schema) {
  base::JsonWriter json;
  json.begin_object().field("type", "json_schema").key("json_schema");
  json.begin_object().field("name", "answer");
  json.field("strict", is_strict_schema(schema)).key("schema").raw(schema);
  return json.end_object().end_object().take();
}

}  // namespace

ToolCall& ToolCalls::add() {
  return at(calls_.empty() ? 0 : calls_.rbegin()->first + 1);
}

void ToolCalls::take_chat_piece(const Json& piece) {
  const std::string_view id = piece["id"].text();
  const Json& function = piece["function"];
  const auto index = piece["index"].count();
  const auto found = index     ? calls_.find(*index)
                     : empty() ? calls_.end()
                               : std::prev(calls_.end());
  const bool another = found != calls_.end() && !id.empty() &&
                       !found->second.id.empty() && found->second.id != id;
  const bool begins = !index && (!id.empty() || function.has("name"));
  const bool goes_on = found != calls_.end() && !another &&
                       (!begins || (!id.empty() && found->second.id == id));
  ToolCall& call = goes_on             ? found->second
                   : index && !another ? at(*index)
                                       : add();
  if (!id.empty()) call.id = id;
  if (function.has("name")) call.name = function["name"].text();
  call.arguments += arguments_of(function["arguments"]);
}

bool ToolCalls::any_nameless() const {
  return std::any_of(calls_.begin(), calls_.end(), [](const auto& entry) {
    return entry.second.name.empty();
  });
}

size_t ToolCalls::bytes() const {
  size_t bytes = 0;
  for (const auto& [place, call] : calls_) bytes += call.arguments.size();
  return bytes;
}

std::vector<ToolCall> ToolCalls::take() {
  std::vector<ToolCall> calls;
  for (auto& [place, call] : calls_) {
    joined(call.id);
    joined(call.name);
    joined(call.arguments);
    if (call.arguments.empty()) call.arguments = "{}";
    calls.push_back(std::move(call));
  }
  calls_.clear();
  return calls;
}

std::string arguments_of(const Json& arguments) {
  if (arguments.is_object()) return base::compact_json(arguments);
  return std::string(arguments.text());
}

void write_tool(base::JsonWriter& json, const core::Tool& tool,
                std::string_view schema_field) {
  json.field("name", tool.name);
  if (!tool.description.empty()) json.field("description", tool.description);
  json.key(schema_field)
      .raw(tool.parameters.empty() ? R"({"type":"object","properties":{}})"
                                   : tool.parameters);
}

std::string chat_tools_json(const std::vector<core::Tool>& tools) {
  base::JsonWriter json;
  json.begin_array();
  for (const core::Tool& tool : tools) {
    json.begin_object().field("type", "function").key("function");
    json.begin_object();
    write_tool(json, tool, "parameters");
    if (tool.strict) json.field("strict", *tool.strict);
    json.end_object().end_object();
  }
  return json.end_array().take();
}

std::string chat_messages_json(const core::Prompt& prompt) {
  base::JsonWriter json;
  json.begin_array();
  if (!prompt.system.empty()) {
    json.begin_object().field("role", "system");
    json.field("content", prompt.system).end_object();
  }
  for (const core::Message& one : prompt.messages) {
    json.begin_object().field("role", one.role == core::Role::kUser ? "user"
                                      : one.role == core::Role::kTool
                                          ? "tool"
                                          : "assistant");
    if (!one.call_id.empty()) json.field("tool_call_id", one.call_id);
    const bool calls_alone = !one.calls.empty() && one.text.empty();
    json.key("content");
    calls_alone ? json.null() : json.value(one.text);
    if (!one.calls.empty()) write_chat_calls(json, one.calls);
    json.end_object();
  }
  return json.end_array().take();
}

bool says_choice(const core::Parameters& parameters) {
  return !parameters.tools.empty() &&
         parameters.tool_choice.kind != core::ToolChoice::Kind::kAuto;
}

std::string openai_tool_choice(const core::ToolChoice& choice,
                               std::string_view holder) {
  base::JsonWriter json;
  if (choice.kind != core::ToolChoice::Kind::kNamed) {
    const bool none = choice.kind == core::ToolChoice::Kind::kNone;
    return json.value(none ? "none" : "required").take();
  }
  json.begin_object().field("type", "function");
  if (!holder.empty()) json.key(holder).begin_object();
  json.field("name", choice.name);
  if (!holder.empty()) json.end_object();
  return json.end_object().take();
}

bool is_strict_schema(std::string_view schema) {
  const auto json = base::read_json(schema);
  return json && json->root["type"].text() == "object" && is_strict(json->root);
}

std::vector<std::pair<std::string, std::string>> chat_form(
    const core::Model& model, const core::Provider& provider,
    const core::Parameters& parameters) {
  std::vector<std::pair<std::string, std::string>> fields;
  if (core::tells_tools(model, provider, parameters)) {
    fields.emplace_back("tools", chat_tools_json(parameters.tools));
    const core::ToolChoice& choice = parameters.tool_choice;
    if (says_choice(parameters)) {
      fields.emplace_back("tool_choice",
                          openai_tool_choice(choice, "function"));
    }
    if (!choice.parallel) fields.emplace_back("parallel_tool_calls", "false");
  }
  if (!parameters.schema.empty()) {
    fields.emplace_back("response_format", response_format(parameters.schema));
  }
  return fields;
}

}  // namespace llmroute::provider
