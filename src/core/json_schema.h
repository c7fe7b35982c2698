// Whether a JSON text is what a JSON Schema describes: what --schema promises
// of an answer, checked here whatever the provider has promised.
//
// A part of draft 2020-12 (json-schema.org), all of it enforced: type, enum,
// const; properties, required, additionalProperties, minProperties,
// maxProperties; items, prefixItems, minItems, maxItems, uniqueItems;
// minLength, maxLength, pattern (RE2's syntax), format (those of a table);
// minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf; allOf,
// anyOf, oneOf, not; $ref within the document. Words about the schema (title,
// description, default, ...) are let pass; any other keyword is refused, never
// skipped.
//
// Numbers are compared as doubles, whole numbers among themselves digit by
// digit. A name that an object has twice must fit both times.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace llmroute::core {

// Immutable; thread-safe.
class JsonSchema {
 public:
  struct Nodes;  // json_schema_nodes.h
  explicit JsonSchema(Nodes nodes);
  JsonSchema(JsonSchema&&) noexcept;
  ~JsonSchema();

  // kData: no JSON, or a schema that cannot be enforced: where (a JSON pointer)
  // and why.
  static base::Result<JsonSchema> parse(std::string_view text);

  // kData: `text` is no JSON, or is not so; where and why. One that nests too
  // deeply or takes too many steps to check is not so either.
  base::Status check(std::string_view text) const;

 private:
  std::unique_ptr<const Nodes> nodes_;
};

// A schema that parse() takes, without white space: as it is sent. kData: it
// takes it not.
base::Result<std::string> compact_schema(std::string_view text);

}  // namespace llmroute::core
