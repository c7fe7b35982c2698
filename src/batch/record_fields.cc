#include "batch/record_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace llmroute::batch {
namespace {

using Kind = JsonNode::Kind;

// What only the configuration may say.
constexpr std::string_view kRefused[] = {
    "base_url",      "api_base", "endpoint",   "api_key",       "api_key_env",
    "apikey",        "key",      "key_env",    "key_file",      "key_command",
    "authorization", "auth",     "headers",    "extra_headers", "argv",
    "command",       "cmd",      "exec",       "env",           "pass_env",
    "proxy",         "ca_file",  "allow_http", "provider",      "extra_body",
    "extra_query",   "protocol",
};

constexpr double kHottest = 100;

const FieldRow* find_row(std::span<const FieldRow> rows,
                         std::string_view name) {
  const auto found =
      std::find_if(rows.begin(), rows.end(),
                   [name](const FieldRow& row) { return row.name == name; });
  return found == rows.end() ? nullptr : &*found;
}

std::optional<std::string> near_row(std::string_view name,
                                    std::span<const FieldRow> rows) {
  std::vector<std::string> names;
  for (const FieldRow& row : rows) names.emplace_back(row.name);
  return base::nearest_name(name, names);
}

RecordError wrong(std::string_view field, std::string_view expected) {
  return bad_value(fmt::format("'{}' is not {}", field, expected));
}

}  // namespace

RecordError half_a_pair(std::string_view field) {
  return bad_value(
      fmt::format("'{}' holds half of a surrogate pair (\\ud800 to \\udfff "
                  "without its other half), which is no text",
                  field));
}

Fault passed_over(const JsonNode&, Record&) { return std::nullopt; }

bool is_refused(std::string_view name) {
  const std::string lower = base::to_lower_ascii(name);
  return std::find(std::begin(kRefused), std::end(kRefused), lower) !=
         std::end(kRefused);
}

RecordError refused_field(std::string_view name) {
  return {"unknown_field",
          fmt::format("'{}' is never taken from a record", name)};
}

bool is_near_miss(std::string_view name, std::span<const FieldRow> rows) {
  return near_row(name, rows).has_value();
}

RecordError unknown_field(std::string_view name,
                          std::span<const FieldRow> rows) {
  const auto near = near_row(name, rows);
  return {"unknown_field",
          fmt::format("unknown field '{}'{}", name,
                      near ? fmt::format(" (did you mean '{}'?)", *near) : "")};
}

Fault read_fields(const JsonNode& object, std::span<const FieldRow> rows,
                  bool ignore_unknown, Record& record) {
  for (const JsonNode& member : object.children()) {
    const FieldRow* row = find_row(rows, member.key);
    if (row == nullptr) {
      if (is_refused(member.key)) return refused_field(member.key);
      if (!ignore_unknown) return unknown_field(member.key, rows);
    } else if (!member.is_null()) {
      LLMROUTE_FAULT(row->read(member, record));
    }
  }
  return std::nullopt;
}

Fault read_text(const JsonNode& node, std::string_view field,
                std::string& text) {
  if (!node.is(Kind::kString)) return wrong(field, "a string");
  if (node.lone_surrogate) return half_a_pair(field);
  text = node.text;
  return std::nullopt;
}

Fault read_id(const JsonNode& node, std::string_view field, Record& record) {
  std::string id;
  if (node.is(Kind::kNumber)) {
    record.id = node.raw;
    record.own_id = record.numeric_id = true;
    return std::nullopt;
  }
  if (!node.is(Kind::kString)) return wrong(field, "a string or a number");
  LLMROUTE_FAULT(read_text(node, field, id));
  if (id.empty()) return bad_value(fmt::format("'{}' is empty", field));
  record.id = std::move(id);
  record.own_id = true;
  return std::nullopt;
}

Fault read_texts(const JsonNode& node, std::string_view field,
                 std::vector<std::string>& texts) {
  texts.clear();
  if (node.is(Kind::kString)) {
    return read_text(node, field, texts.emplace_back());
  }
  if (!node.is(Kind::kArray)) {
    return wrong(field, "a string or a list of strings");
  }
  for (const JsonNode& item : node.children()) {
    LLMROUTE_FAULT(read_text(item, field, texts.emplace_back()));
  }
  return std::nullopt;
}

Fault read_model(const JsonNode& node, Record& record) {
  std::string name;
  LLMROUTE_FAULT(read_text(node, "model", name));
  if (!name.empty() && name != "auto") {
    record.overrides.model = std::move(name);
  }
  return std::nullopt;
}

Fault read_max_tokens(const JsonNode& node, Record& record) {
  const auto count = node.whole_number();
  if (!count || *count < 1) {
    return wrong(node.key, "a whole number of at least 1");
  }
  auto& most = record.prompt.parameters.max_tokens;
  most = most ? std::min(*most, *count) : *count;
  return std::nullopt;
}

Fault read_temperature(const JsonNode& node, Record& record) {
  const auto value =
      node.is(Kind::kNumber) ? base::parse_double(node.raw) : std::nullopt;
  if (!value || *value < 0 || *value > kHottest) {
    return wrong(node.key, "a number from 0 to 100");
  }
  record.prompt.parameters.temperature = value;
  return std::nullopt;
}

Fault read_stop(const JsonNode& node, Record& record) {
  return read_texts(node, node.key, record.prompt.parameters.stop);
}

Fault read_seed(const JsonNode& node, Record& record) {
  const auto seed = node.whole_number();
  if (!seed) return wrong(node.key, "a whole number of 64 bits");
  record.prompt.parameters.seed = seed;
  return std::nullopt;
}

Fault read_meta(const JsonNode& node, Record& record) {
  record.meta = node.raw;
  return std::nullopt;
}

bool is_absent(const JsonNode& node) {
  return node.is_null() || node.raw == "false" ||
         (node.is(Kind::kArray) && node.children().empty());
}

}  // namespace llmroute::batch
