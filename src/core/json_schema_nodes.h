// A schema as json_schema_reader.cc reads it and json_schema.cc checks by it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_text.h"
#include "base/result.h"
#include "core/json_schema.h"
#include "core/text_pattern.h"

namespace llmroute::core {

// A name as a token of a JSON pointer: RFC 6901, section 3.
std::string pointer_token(std::string_view name);

// Index into JsonSchema::Nodes::all.
using SchemaIndex = size_t;

// At least and at most, of a count; unset: no bound.
struct CountBounds {
  std::optional<int64_t> least, most;
};

// One schema. Where nothing is said everything fits.
struct SchemaNode {
  bool nothing = false;  // the schema `false`
  std::vector<std::string> types;
  // Values in canonical form; `enum`, and `const` as one of one.
  std::optional<std::set<std::string>> values, constant;
  std::map<std::string, SchemaIndex, std::less<>> properties;
  std::vector<std::string> required;
  std::optional<SchemaIndex> additional, items;
  std::vector<SchemaIndex> prefix;
  CountBounds members, elements, length;
  bool unique = false;
  std::optional<TextPattern> pattern;
  std::string pattern_text;
  std::optional<TextPattern> format;
  std::string format_name;
  std::optional<double> minimum, maximum, above, below, multiple_of;
  std::vector<SchemaIndex> all, any, one;  // any, one: empty if not said
  std::optional<SchemaIndex> except, ref;
};

struct JsonSchema::Nodes {
  std::vector<SchemaNode> all;  // the first is the root
};

// kData, as JsonSchema::parse().
base::Result<JsonSchema::Nodes> read_schema(const base::Json& root);

// The same text for what JSON Schema calls equal: members by name, whole
// numbers alike however they are written.
std::string canonical_json(const base::Json& value);

// Infinite if it is out of range; 0 if it is too small.
double schema_number(const base::Json& number);

// The pattern of a format; "": it is not enforced.
std::string_view format_pattern(std::string_view name);

}  // namespace llmroute::core
