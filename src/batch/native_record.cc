#include "batch/native_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "batch/record_fields.h"

namespace llmroute::batch {
namespace {

using Kind = JsonNode::Kind;

Fault read_system(const JsonNode& node, Record& record) {
  std::string text;
  LLMROUTE_FAULT(read_text(node, "system", text));
  // Before what `messages` say of it, wherever the field stands.
  record.prompt.system.insert(
      0, record.prompt.system.empty() || text.empty() ? text : text + "\n\n");
  return std::nullopt;
}

Fault read_prompt(const JsonNode& node, Record& record) {
  std::string text;
  LLMROUTE_FAULT(read_text(node, "prompt", text));
  return set_prompt(std::move(text), record.prompt);
}

Fault read_native_messages(const JsonNode& node, Record& record) {
  return read_messages(node, "messages", record.prompt);
}

Fault read_route(const JsonNode& node, Record& record) {
  std::string name;
  LLMROUTE_FAULT(read_text(node, "route", name));
  if (!name.empty()) record.overrides.route = std::move(name);
  return std::nullopt;
}

// "30s", or seconds as a number.
Fault read_timeout(const JsonNode& node, Record& record) {
  const auto time =
      base::parse_duration(node.is(Kind::kString) ? node.text : node.raw);
  if (!time || time->count() <= 0) {
    return bad_value("'timeout' is not a duration (\"30s\", \"2m\") above 0");
  }
  record.overrides.timeout = time;
  return std::nullopt;
}

// Dollars as they are written, so exact; 1e-5 by way of a double.
Fault read_max_cost(const JsonNode& node, Record& record) {
  std::optional<core::Money> cost;
  if (node.is(Kind::kNumber)) {
    cost = core::parse_usd(node.raw);
    const auto usd = base::parse_double(node.raw);
    if (!cost && usd) cost = core::from_usd(*usd);
  }
  if (!cost) return bad_value("'max_cost' is not a number of dollars");
  record.overrides.max_cost = cost;
  return std::nullopt;
}

Fault read_fallback(const JsonNode& node, Record& record) {
  return read_texts(node, "fallback", record.overrides.fallback.emplace());
}

Fault read_tags(const JsonNode& node, Record& record) {
  if (!node.is(Kind::kObject)) {
    return bad_value("'tags' is not an object of strings");
  }
  for (const JsonNode& tag : node.children()) {
    std::string value;
    LLMROUTE_FAULT(read_text(tag, "tags", value));
    record.overrides.tags.insert_or_assign(std::string(tag.key),
                                           std::move(value));
  }
  return std::nullopt;
}

constexpr FieldRow kFields[] = {
    {"id", passed_over},  // read before the others
    {"prompt", read_prompt},
    {"messages", read_native_messages},
    {"system", read_system},
    {"model", read_model},
    {"route", read_route},
    {"max_tokens", read_max_tokens},
    {"temperature", read_temperature},
    {"stop", read_stop},
    {"seed", read_seed},
    {"timeout", read_timeout},
    {"max_cost", read_max_cost},
    {"fallback", read_fallback},
    {"tags", read_tags},
    {"meta", read_meta},
    {"schema", read_schema},
    {"tools", read_tools},
    {"tool_choice", read_tool_choice},
};

// A slip in a name is told as such; any other object needs a template.
RecordError no_prompt(const JsonNode& root) {
  for (const JsonNode& member : root.children()) {
    const bool known = std::any_of(
        std::begin(kFields), std::end(kFields),
        [&member](const FieldRow& row) { return row.name == member.key; });
    if (is_refused(member.key)) return refused_field(member.key);
    if (!known && is_near_miss(member.key, kFields)) {
      return unknown_field(member.key, kFields);
    }
  }
  return {"missing_field",
          "no 'prompt', no 'messages', no 'custom_id' with 'body' (--template "
          "or --prompt-field makes prompts of other objects)"};
}

}  // namespace

Fault read_native(const JsonNode& root, bool ignore_unknown, Record& record) {
  const bool prompt = root.find_value("prompt") != nullptr;
  const bool messages = root.find_value("messages") != nullptr;
  if (prompt && messages) {
    return bad_value("both 'prompt' and 'messages' are given");
  }
  if (!prompt && !messages) return no_prompt(root);
  LLMROUTE_FAULT(read_fields(root, kFields, ignore_unknown, record));
  return check_tool_choice(record);
}

}  // namespace llmroute::batch
