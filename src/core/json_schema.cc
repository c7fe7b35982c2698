#include "core/json_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/text.h"
#include "core/json_schema_nodes.h"

namespace llmroute::core {
namespace {

using base::Json;

constexpr int kDeepest = 256;  // schemas inside each other, of the stack's size
constexpr int64_t kMostSteps = 20'000'000;
constexpr size_t kLongestPointer = 200;

// Where a value is: its name, or its place, in what is above it.
struct Place {
  const Place* above = nullptr;
  std::string_view name;
  size_t index = 0;
  bool named = false;
};

void append_pointer(const Place& place, std::string& out) {
  if (place.above == nullptr) return;
  append_pointer(*place.above, out);
  out += '/';
  out += place.named ? pointer_token(place.name) : std::to_string(place.index);
}

// Bytes but those that go on with a character.
int64_t characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  });
}

bool is_of_type(const Json& value, std::string_view type) {
  switch (value.kind()) {
    case Json::Kind::kNull:
      return type == "null";
    case Json::Kind::kBool:
      return type == "boolean";
    case Json::Kind::kString:
      return type == "string";
    case Json::Kind::kArray:
      return type == "array";
    case Json::Kind::kObject:
      return type == "object";
    case Json::Kind::kNumber:
      break;
  }
  if (type != "integer") return type == "number";
  const double number = schema_number(value);
  return std::isfinite(number) && number == std::floor(number);
}

// As near as doubles come to it.
bool is_multiple(double number, double step) {
  const double times = number / step;
  return std::isfinite(times) && std::abs(times - std::round(times)) <=
                                     1e-9 * std::max(1.0, std::abs(times));
}

class Checker {
 public:
  explicit Checker(const JsonSchema::Nodes& nodes) : nodes_(nodes) {}

  base::Status check(const Json& root) {
    const Place place;
    const bool fits = this->fits(0, root, place);
    if (given_up_) {
      return base::Error{base::ErrorKind::kData, "too deep to be checked"};
    }
    if (fits) return {};
    return base::Error{base::ErrorKind::kData, std::move(why_)};
  }

 private:
  bool fits(SchemaIndex index, const Json& value, const Place& place);
  bool of_its_kind(const SchemaNode& node, const Json& value,
                   const Place& place);
  bool object_fits(const SchemaNode& node, const Json& value,
                   const Place& place);
  bool array_fits(const SchemaNode& node, const Json& value,
                  const Place& place);
  bool string_fits(const SchemaNode& node, const Json& value,
                   const Place& place);
  bool number_fits(const SchemaNode& node, const Json& value,
                   const Place& place);
  bool values_fit(const SchemaNode& node, const Json& value,
                  const Place& place);
  bool combined_fit(const SchemaNode& node, const Json& value,
                    const Place& place);
  bool count_fits(const CountBounds& bounds, int64_t count, const char* of,
                  const Place& place);
  int64_t fitting(const std::vector<SchemaIndex>& schemas, const Json& value,
                  const Place& place, int64_t enough);
  bool spend(int64_t steps);
  bool fail(const Place& place, const std::string& why);

  const JsonSchema::Nodes& nodes_;
  std::string why_;
  int silent_ = 0;  // inside what may well not fit
  int depth_ = 0;
  int64_t steps_ = 0;
  bool given_up_ = false;
};

bool Checker::spend(int64_t steps) {
  steps_ += steps;
  given_up_ = given_up_ || steps_ > kMostSteps || depth_ > kDeepest;
  return !given_up_;
}

bool Checker::fail(const Place& place, const std::string& why) {
  if (silent_ > 0 || given_up_) return false;
  std::string pointer;
  append_pointer(place, pointer);
  if (pointer.size() > kLongestPointer) pointer.resize(kLongestPointer);
  why_ = fmt::format("at {}: {}", pointer.empty() ? "/" : pointer, why);
  return false;
}

bool Checker::fits(SchemaIndex index, const Json& value, const Place& place) {
  ++depth_;
  const SchemaNode& node = nodes_.all[index];
  bool good = spend(1);
  if (good && node.nothing) good = fail(place, "nothing may be here");
  good = good && of_its_kind(node, value, place) &&
         values_fit(node, value, place) && combined_fit(node, value, place) &&
         (!node.ref || fits(*node.ref, value, place));
  --depth_;
  return good;
}

bool Checker::of_its_kind(const SchemaNode& node, const Json& value,
                          const Place& place) {
  const bool any =
      node.types.empty() || std::any_of(node.types.begin(), node.types.end(),
                                        [&](const std::string& type) {
                                          return is_of_type(value, type);
                                        });
  if (!any) return fail(place, "no " + base::join(node.types, " or "));
  switch (value.kind()) {
    case Json::Kind::kObject:
      return object_fits(node, value, place);
    case Json::Kind::kArray:
      return array_fits(node, value, place);
    case Json::Kind::kString:
      return string_fits(node, value, place);
    case Json::Kind::kNumber:
      return number_fits(node, value, place);
    case Json::Kind::kNull:
    case Json::Kind::kBool:
      break;
  }
  return true;
}

bool Checker::count_fits(const CountBounds& bounds, int64_t count,
                         const char* of, const Place& place) {
  if (bounds.least && count < *bounds.least) {
    return fail(place, fmt::format("fewer than {} {}", *bounds.least, of));
  }
  if (bounds.most && count > *bounds.most) {
    return fail(place, fmt::format("more than {} {}", *bounds.most, of));
  }
  return true;
}

bool Checker::object_fits(const SchemaNode& node, const Json& value,
                          const Place& place) {
  const std::set<std::string_view> names(value.names().begin(),
                                         value.names().end());
  for (const std::string& name : node.required) {
    if (!names.contains(name)) {
      return fail(place, fmt::format("'{}' is missing", name));
    }
  }
  if (!count_fits(node.members, static_cast<int64_t>(names.size()), "members",
                  place)) {
    return false;
  }
  for (size_t i = 0; i < value.names().size(); ++i) {
    const std::string& name = value.names()[i];
    const Place inside{&place, name, 0, true};
    const auto property = node.properties.find(name);
    const auto schema = property != node.properties.end()
                            ? std::optional(property->second)
                            : node.additional;
    if (!spend(1)) return false;
    if (schema && !fits(*schema, value.items()[i], inside)) return false;
  }
  return true;
}

bool Checker::array_fits(const SchemaNode& node, const Json& value,
                         const Place& place) {
  const std::vector<Json>& items = value.items();
  if (!count_fits(node.elements, static_cast<int64_t>(items.size()), "elements",
                  place)) {
    return false;
  }
  std::set<std::string> seen;
  for (size_t i = 0; i < items.size(); ++i) {
    const Place inside{&place, {}, i, false};
    const auto schema =
        i < node.prefix.size() ? std::optional(node.prefix[i]) : node.items;
    if (!spend(1)) return false;
    if (schema && !fits(*schema, items[i], inside)) return false;
    if (node.unique && !seen.insert(canonical_json(items[i])).second) {
      return fail(inside, "the same as one before");
    }
  }
  return true;
}

bool Checker::string_fits(const SchemaNode& node, const Json& value,
                          const Place& place) {
  const std::string_view text = value.text();
  const bool counted = node.length.least || node.length.most;
  if (counted &&
      !count_fits(node.length, characters(text), "characters", place)) {
    return false;
  }
  if (node.pattern && !node.pattern->matches_part_of(text)) {
    return fail(place, fmt::format("does not match '{}'", node.pattern_text));
  }
  if (node.format && !node.format->matches(text)) {
    return fail(place, "no " + node.format_name);
  }
  return true;
}

bool Checker::number_fits(const SchemaNode& node, const Json& value,
                          const Place& place) {
  const double number = schema_number(value);
  if (node.minimum && number < *node.minimum) {
    return fail(place, fmt::format("less than {}", *node.minimum));
  }
  if (node.maximum && number > *node.maximum) {
    return fail(place, fmt::format("more than {}", *node.maximum));
  }
  if (node.above && number <= *node.above) {
    return fail(place, fmt::format("not more than {}", *node.above));
  }
  if (node.below && number >= *node.below) {
    return fail(place, fmt::format("not less than {}", *node.below));
  }
  if (node.multiple_of && !is_multiple(number, *node.multiple_of)) {
    return fail(place, fmt::format("no multiple of {}", *node.multiple_of));
  }
  return true;
}

bool Checker::values_fit(const SchemaNode& node, const Json& value,
                         const Place& place) {
  if (!node.values && !node.constant) return true;
  const std::string canonical = canonical_json(value);
  if (!spend(static_cast<int64_t>(canonical.size() / 64))) return false;
  if (node.values && !node.values->contains(canonical)) {
    return fail(place, "none of the values of enum");
  }
  if (node.constant && !node.constant->contains(canonical)) {
    return fail(place, "not the value of const");
  }
  return true;
}

// How many fit, counted no further than is `enough`.
int64_t Checker::fitting(const std::vector<SchemaIndex>& schemas,
                         const Json& value, const Place& place,
                         int64_t enough) {
  ++silent_;
  int64_t count = 0;
  for (const SchemaIndex schema : schemas) {
    if (count < enough && fits(schema, value, place)) ++count;
  }
  --silent_;
  return count;
}

bool Checker::combined_fit(const SchemaNode& node, const Json& value,
                           const Place& place) {
  for (const SchemaIndex schema : node.all) {
    if (!fits(schema, value, place)) return false;
  }
  if (!node.any.empty() && fitting(node.any, value, place, 1) == 0) {
    return fail(place, "fits nothing of anyOf");
  }
  if (!node.one.empty()) {
    const int64_t fit = fitting(node.one, value, place, 2);
    if (fit == 0) return fail(place, "fits nothing of oneOf");
    if (fit > 1) return fail(place, "fits more than one of oneOf");
  }
  if (node.except && fitting({*node.except}, value, place, 1) > 0) {
    return fail(place, "fits what must not be");
  }
  return true;
}

}  // namespace

JsonSchema::JsonSchema(Nodes nodes)
    : nodes_(std::make_unique<const Nodes>(std::move(nodes))) {}
JsonSchema::JsonSchema(JsonSchema&&) noexcept = default;
JsonSchema::~JsonSchema() = default;

base::Result<JsonSchema> JsonSchema::parse(std::string_view text) {
  const auto json = base::read_json(text);
  if (!json || json->repaired) {
    return base::Error{base::ErrorKind::kData, "not valid JSON"};
  }
  LLMROUTE_TRY(Nodes nodes, read_schema(json->root));
  return JsonSchema(std::move(nodes));
}

base::Result<std::string> compact_schema(std::string_view text) {
  LLMROUTE_CHECK(JsonSchema::parse(text));
  return base::compact_json(base::read_json(text)->root);
}

base::Status JsonSchema::check(std::string_view text) const {
  const auto json = base::read_json(text);
  if (!json || json->repaired) {
    return base::Error{base::ErrorKind::kData, "not valid JSON"};
  }
  return Checker(*nodes_).check(json->root);
}

}  // namespace llmroute::core
