#include "core/tool_list.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_text.h"

namespace llmroute::core {
namespace {

using base::Json;

constexpr size_t kLongestName = 64;

base::Error refused(const std::string& at, const std::string& why) {
  return {base::ErrorKind::kData, fmt::format("at {}: {}", at, why)};
}

// As all vendors take it.
bool is_tool_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  (c >= '0' && c <= '9') || c == '_' || c == '-';
         });
}

base::Status set_field(const std::string& name, const Json& value,
                       const std::string& at, Tool& tool) {
  if (value.is_null()) return {};  // "function" too
  if (name == "type" && value.text() == "function") return {};
  if (name == "name" && is_tool_name(value.text())) {
    tool.name = value.text();
  } else if (name == "description" && value.string()) {
    tool.description = value.text();
  } else if ((name == "parameters" || name == "input_schema") &&
             value.is_object()) {
    tool.parameters = base::compact_json(value);
  } else if (name == "strict" && value.kind() == Json::Kind::kBool) {
    tool.strict = value.is_true();
  } else {
    return refused(at + "/" + name,
                   "expected the name (letters, digits, '_' and '-'), "
                   "description, parameters or strict of a function");
  }
  return {};
}

base::Result<Tool> read_tool(const Json& json, std::string at) {
  const Json* fields = &json;
  const Json* function = json.find("function");
  if (function != nullptr && !function->is_null()) {
    const bool alone = std::all_of(
        json.names().begin(), json.names().end(), [](const std::string& name) {
          return name == "type" || name == "function";
        });
    if (!alone || json["type"].text() != "function") {
      return refused(at, "expected only \"type\":\"function\" beside it");
    }
    fields = function;
    at += "/function";
  }
  if (!fields->is_object()) return refused(at, "expected an object");
  Tool tool;
  for (size_t i = 0; i < fields->names().size(); ++i) {
    LLMROUTE_CHECK(set_field(fields->names()[i], fields->items()[i], at, tool));
  }
  if (tool.name.empty()) return refused(at, "a function without a name");
  return tool;
}

}  // namespace

base::Result<std::vector<Tool>> read_tools(std::string_view text) {
  const auto json = base::read_json(text);
  if (!json || json->repaired) {
    return base::Error{base::ErrorKind::kData, "not valid JSON"};
  }
  if (!json->root.is_array() || json->root.items().empty()) {
    return base::Error{base::ErrorKind::kData, "expected an array of tools"};
  }
  std::vector<Tool> tools;
  for (size_t i = 0; i < json->root.items().size(); ++i) {
    const std::string at = fmt::format("/{}", i);
    LLMROUTE_TRY(Tool tool, read_tool(json->root.items()[i], at));
    for (const Tool& other : tools) {
      if (other.name == tool.name) {
        return refused(at, fmt::format("'{}' stands twice", tool.name));
      }
    }
    tools.push_back(std::move(tool));
  }
  return tools;
}

std::string tool_call_json(const ToolCall& call) {
  base::JsonWriter json;
  json.begin_object().key("id");
  call.id.empty() ? json.null() : json.value(call.id);
  json.field("name", call.name).key("arguments");
  const auto arguments = base::read_json(call.arguments);
  if (arguments && arguments->root.is_object()) {
    base::write_json(json, arguments->root);
  } else {
    json.value(call.arguments);
  }
  return json.end_object().take();
}

}  // namespace llmroute::core
