// From JSON to nodes: every schema under its JSON pointer, then references,
// then whether one leads back to itself at the same place of a value.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>

#include "base/text.h"
#include "core/json_schema_nodes.h"

namespace llmroute::core {
namespace {

using base::Json;
using base::Status;

constexpr size_t kMostNodes = 100'000;
// $ref, allOf and the like that are followed in one go.
constexpr int kLongestChain = 32;

// What is no escape stays.
std::string percent_decoded(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    unsigned char byte = 0;
    const std::string_view digits = text.substr(at).substr(0, 3);
    const char* end = digits.data() + digits.size();
    const bool escape =
        digits.size() == 3 && digits[0] == '%' &&
        std::from_chars(digits.data() + 1, end, byte, 16).ptr == end;
    out += escape ? static_cast<char>(byte) : text[at];
    if (escape) at += 2;
  }
  return out;
}

class SchemaReader {
 public:
  base::Result<JsonSchema::Nodes> read(const Json& root);

 private:
  // What reads the value of one keyword into a node. `at`: its pointer.
  using Read = Status (SchemaReader::*)(const Json& value,
                                        const std::string& at,
                                        SchemaIndex node);
  struct Keyword {
    std::string_view name;
    Read read;
  };
  static const Keyword* find_keyword(std::string_view name);

  base::Result<SchemaIndex> add(const Json& schema, const std::string& at);
  Status add_keywords(const Json& schema, const std::string& at,
                      SchemaIndex node);
  base::Result<std::vector<SchemaIndex>> add_list(const Json& value,
                                                  const std::string& at);
  SchemaNode& node(SchemaIndex index) { return nodes_.all[index]; }

  Status pass(const Json&, const std::string&, SchemaIndex) { return {}; }
  Status dialect(const Json& value, const std::string& at, SchemaIndex);
  Status identifier(const Json& value, const std::string& at, SchemaIndex);
  Status type(const Json& value, const std::string& at, SchemaIndex index);
  Status values(const Json& value, const std::string& at, SchemaIndex index);
  Status constant(const Json& value, const std::string&, SchemaIndex index);
  Status definitions(const Json& value, const std::string& at, SchemaIndex);
  Status properties(const Json& value, const std::string& at,
                    SchemaIndex index);
  Status required(const Json& value, const std::string& at, SchemaIndex index);
  Status unique(const Json& value, const std::string& at, SchemaIndex index);
  Status pattern(const Json& value, const std::string& at, SchemaIndex index);
  Status format(const Json& value, const std::string& at, SchemaIndex index);
  Status multiple(const Json& value, const std::string& at, SchemaIndex index);
  Status ref(const Json& value, const std::string& at, SchemaIndex index);
  template <auto kMember>
  Status list(const Json& value, const std::string& at, SchemaIndex index);
  template <auto kMember>
  Status schema(const Json& value, const std::string& at, SchemaIndex index);
  template <auto kMember>
  Status number(const Json& value, const std::string& at, SchemaIndex index);
  template <auto kBounds, auto kBound>
  Status count(const Json& value, const std::string& at, SchemaIndex index);

  Status resolve();
  Status check_chains();
  Status check_chain(SchemaIndex index, int length);

  JsonSchema::Nodes nodes_;
  std::map<std::string, SchemaIndex> places_;
  struct Reference {
    SchemaIndex from;
    std::string to, at;
  };
  std::vector<Reference> references_;
  // By node.
  std::vector<std::string> pointers_;
  enum class Chain { kUnknown, kUnderWay, kEnds };
  std::vector<Chain> chains_;
};

base::Error refused(const std::string& at, const std::string& why) {
  return {base::ErrorKind::kData, fmt::format("at #{}: {}", at, why)};
}

base::Error expected(const std::string& at, const char* what) {
  return refused(at, fmt::format("expected {}", what));
}

template <auto kMember>
Status SchemaReader::list(const Json& value, const std::string& at,
                          SchemaIndex index) {
  LLMROUTE_TRY(std::vector<SchemaIndex> schemas, add_list(value, at));
  node(index).*kMember = std::move(schemas);
  return {};
}

template <auto kMember>
Status SchemaReader::schema(const Json& value, const std::string& at,
                            SchemaIndex index) {
  LLMROUTE_TRY(const SchemaIndex schema, add(value, at));
  node(index).*kMember = schema;
  return {};
}

template <auto kMember>
Status SchemaReader::number(const Json& value, const std::string& at,
                            SchemaIndex index) {
  if (value.kind() != Json::Kind::kNumber) return expected(at, "a number");
  node(index).*kMember = schema_number(value);
  return {};
}

template <auto kBounds, auto kBound>
Status SchemaReader::count(const Json& value, const std::string& at,
                           SchemaIndex index) {
  const auto count = value.count();
  if (!count || value.kind() != Json::Kind::kNumber) {
    return expected(at, "a whole number from 0 on");
  }
  node(index).*kBounds.*kBound = count;
  return {};
}

Status SchemaReader::dialect(const Json& value, const std::string& at,
                             SchemaIndex) {
  constexpr std::string_view kKnown[] = {
      "https://json-schema.org/draft/2020-12/schema",
      "http://json-schema.org/draft-07/schema"};
  std::string_view uri = value.text();
  if (uri.ends_with('#')) uri.remove_suffix(1);
  if (std::find(std::begin(kKnown), std::end(kKnown), uri) !=
      std::end(kKnown)) {
    return {};
  }
  return expected(at, "draft 2020-12 or draft-07");
}

// Of the whole document it changes nothing that is looked at here.
Status SchemaReader::identifier(const Json&, const std::string& at,
                                SchemaIndex index) {
  if (index == 0) return {};
  return refused(at, "$id is only known at the root");
}

Status SchemaReader::type(const Json& value, const std::string& at,
                          SchemaIndex index) {
  constexpr std::string_view kTypes[] = {"null",   "boolean", "object", "array",
                                         "number", "string",  "integer"};
  std::vector<std::string>& types = node(index).types;
  if (value.string()) types.emplace_back(value.text());
  for (const Json& one : value.items()) types.emplace_back(one.text());
  const bool known =
      !types.empty() && !value.is_object() &&
      std::all_of(types.begin(), types.end(), [&](const std::string& name) {
        return std::find(std::begin(kTypes), std::end(kTypes), name) !=
               std::end(kTypes);
      });
  if (known) return {};
  return expected(at, "types of JSON Schema");
}

Status SchemaReader::values(const Json& value, const std::string& at,
                            SchemaIndex index) {
  if (!value.is_array()) return expected(at, "an array");
  auto& values = node(index).values.emplace();
  for (const Json& one : value.items()) values.insert(canonical_json(one));
  return {};
}

Status SchemaReader::constant(const Json& value, const std::string&,
                              SchemaIndex index) {
  node(index).constant.emplace().insert(canonical_json(value));
  return {};
}

Status SchemaReader::definitions(const Json& value, const std::string& at,
                                 SchemaIndex) {
  if (!value.is_object()) return expected(at, "an object of schemas");
  for (size_t i = 0; i < value.names().size(); ++i) {
    LLMROUTE_CHECK(
        add(value.items()[i], at + "/" + pointer_token(value.names()[i])));
  }
  return {};
}

Status SchemaReader::properties(const Json& value, const std::string& at,
                                SchemaIndex index) {
  if (!value.is_object()) return expected(at, "an object of schemas");
  for (size_t i = 0; i < value.names().size(); ++i) {
    const std::string& name = value.names()[i];
    LLMROUTE_TRY(const SchemaIndex schema,
                 add(value.items()[i], at + "/" + pointer_token(name)));
    node(index).properties[name] = schema;
  }
  return {};
}

Status SchemaReader::required(const Json& value, const std::string& at,
                              SchemaIndex index) {
  if (!value.is_array()) return expected(at, "an array of names");
  for (const Json& name : value.items()) {
    if (!name.string()) return expected(at, "an array of names");
    node(index).required.emplace_back(name.text());
  }
  return {};
}

Status SchemaReader::unique(const Json& value, const std::string& at,
                            SchemaIndex index) {
  if (value.kind() != Json::Kind::kBool) return expected(at, "true or false");
  node(index).unique = value.is_true();
  return {};
}

Status SchemaReader::pattern(const Json& value, const std::string& at,
                             SchemaIndex index) {
  if (!value.string()) return expected(at, "a pattern");
  auto compiled = TextPattern::compile(value.text());
  if (!compiled) {
    return refused(
        at, "a pattern that RE2 does not take: " + compiled.error().message);
  }
  node(index).pattern_text = value.text();
  node(index).pattern = *std::move(compiled);
  return {};
}

Status SchemaReader::format(const Json& value, const std::string& at,
                            SchemaIndex index) {
  const std::string_view pattern = format_pattern(value.text());
  if (pattern.empty()) {
    return refused(
        at, fmt::format("format '{}' is not checked here", value.text()));
  }
  LLMROUTE_TRY(node(index).format, TextPattern::compile(pattern));
  node(index).format_name = value.text();
  return {};
}

Status SchemaReader::multiple(const Json& value, const std::string& at,
                              SchemaIndex index) {
  const double step =
      value.kind() == Json::Kind::kNumber ? schema_number(value) : 0;
  if (step <= 0 || !std::isfinite(step)) {
    return expected(at, "a number above 0");
  }
  node(index).multiple_of = step;
  return {};
}

Status SchemaReader::ref(const Json& value, const std::string& at,
                         SchemaIndex index) {
  const std::string_view to = value.text();
  if (!to.starts_with('#')) {
    return expected(at, "a place in this document, such as #/$defs/name");
  }
  references_.push_back({index, percent_decoded(to.substr(1)), at});
  return {};
}

const SchemaReader::Keyword* SchemaReader::find_keyword(std::string_view name) {
  using R = SchemaReader;
  using N = SchemaNode;
  using B = CountBounds;
  static constexpr auto kKeywords = std::to_array<Keyword>({
      {"$schema", &R::dialect},
      {"$id", &R::identifier},
      {"$comment", &R::pass},
      {"title", &R::pass},
      {"description", &R::pass},
      {"default", &R::pass},
      {"examples", &R::pass},
      {"deprecated", &R::pass},
      {"readOnly", &R::pass},
      {"writeOnly", &R::pass},
      {"$defs", &R::definitions},
      {"definitions", &R::definitions},
      {"$ref", &R::ref},
      {"type", &R::type},
      {"enum", &R::values},
      {"const", &R::constant},
      {"properties", &R::properties},
      {"required", &R::required},
      {"additionalProperties", &R::schema<&N::additional>},
      {"minProperties", &R::count<&N::members, &B::least>},
      {"maxProperties", &R::count<&N::members, &B::most>},
      {"items", &R::schema<&N::items>},
      {"prefixItems", &R::list<&N::prefix>},
      {"minItems", &R::count<&N::elements, &B::least>},
      {"maxItems", &R::count<&N::elements, &B::most>},
      {"uniqueItems", &R::unique},
      {"minLength", &R::count<&N::length, &B::least>},
      {"maxLength", &R::count<&N::length, &B::most>},
      {"pattern", &R::pattern},
      {"format", &R::format},
      {"minimum", &R::number<&N::minimum>},
      {"maximum", &R::number<&N::maximum>},
      {"exclusiveMinimum", &R::number<&N::above>},
      {"exclusiveMaximum", &R::number<&N::below>},
      {"multipleOf", &R::multiple},
      {"allOf", &R::list<&N::all>},
      {"anyOf", &R::list<&N::any>},
      {"oneOf", &R::list<&N::one>},
      {"not", &R::schema<&N::except>},
  });
  const auto* const found =
      std::find_if(kKeywords.begin(), kKeywords.end(),
                   [name](const Keyword& row) { return row.name == name; });
  return found == kKeywords.end() ? nullptr : &*found;
}

base::Result<SchemaIndex> SchemaReader::add(const Json& schema,
                                            const std::string& at) {
  if (nodes_.all.size() == kMostNodes) return refused(at, "too many schemas");
  const SchemaIndex index = nodes_.all.size();
  nodes_.all.emplace_back();
  pointers_.push_back(at);
  places_.emplace(at, index);
  if (schema.kind() == Json::Kind::kBool) {
    node(index).nothing = !schema.is_true();
  } else if (schema.is_object()) {
    LLMROUTE_CHECK(add_keywords(schema, at, index));
  } else {
    return expected(at, "a schema");
  }
  return index;
}

Status SchemaReader::add_keywords(const Json& schema, const std::string& at,
                                  SchemaIndex index) {
  for (size_t i = 0; i < schema.names().size(); ++i) {
    const std::string& name = schema.names()[i];
    const std::string place = at + "/" + pointer_token(name);
    const Keyword* keyword = find_keyword(name);
    if (keyword == nullptr) {
      return refused(place, fmt::format("keyword '{}' is not enforced here, so "
                                        "the schema is refused",
                                        name));
    }
    if (schema.find(name) != &schema.items()[i]) {
      return refused(place, fmt::format("keyword '{}' stands twice", name));
    }
    LLMROUTE_CHECK((this->*keyword->read)(schema.items()[i], place, index));
  }
  return {};
}

base::Result<std::vector<SchemaIndex>> SchemaReader::add_list(
    const Json& value, const std::string& at) {
  if (!value.is_array() || value.items().empty()) {
    return expected(at, "an array of schemas");
  }
  std::vector<SchemaIndex> schemas;
  for (size_t i = 0; i < value.items().size(); ++i) {
    LLMROUTE_TRY(const SchemaIndex schema,
                 add(value.items()[i], fmt::format("{}/{}", at, i)));
    schemas.push_back(schema);
  }
  return schemas;
}

Status SchemaReader::resolve() {
  for (const Reference& reference : references_) {
    const auto found = places_.find(reference.to);
    if (found == places_.end()) {
      return refused(reference.at,
                     fmt::format("there is no schema at #{}", reference.to));
    }
    node(reference.from).ref = found->second;
  }
  return {};
}

// `length`: of the schemas that led here at the same place of a value.
Status SchemaReader::check_chain(SchemaIndex index, int length) {
  if (chains_[index] == Chain::kUnderWay) {
    return refused(pointers_[index], "the schema refers to itself");
  }
  if (length == kLongestChain) {
    return refused(pointers_[index], "schemas refer to each other too often");
  }
  chains_[index] = Chain::kUnderWay;
  const SchemaNode& it = node(index);
  std::vector<SchemaIndex> next = it.all;
  next.insert(next.end(), it.any.begin(), it.any.end());
  next.insert(next.end(), it.one.begin(), it.one.end());
  if (it.except) next.push_back(*it.except);
  if (it.ref) next.push_back(*it.ref);
  for (const SchemaIndex one : next) {
    if (chains_[one] == Chain::kEnds) continue;
    LLMROUTE_CHECK(check_chain(one, length + 1));
  }
  chains_[index] = Chain::kEnds;
  return {};
}

Status SchemaReader::check_chains() {
  chains_.resize(nodes_.all.size());
  for (SchemaIndex index = 0; index < nodes_.all.size(); ++index) {
    if (chains_[index] == Chain::kUnknown) {
      LLMROUTE_CHECK(check_chain(index, 0));
    }
  }
  return {};
}

base::Result<JsonSchema::Nodes> SchemaReader::read(const Json& root) {
  LLMROUTE_CHECK(add(root, ""));
  LLMROUTE_CHECK(resolve());
  LLMROUTE_CHECK(check_chains());
  return std::move(nodes_);
}

}  // namespace

std::string pointer_token(std::string_view name) {
  std::string token;
  for (const char c : name) {
    if (c == '~') {
      token += "~0";
    } else if (c == '/') {
      token += "~1";
    } else {
      token += c;
    }
  }
  return token;
}

base::Result<JsonSchema::Nodes> read_schema(const Json& root) {
  return SchemaReader().read(root);
}

}  // namespace llmroute::core
