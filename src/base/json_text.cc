#include "base/json_text.h"

#include <simdjson.h>

#include <cmath>

#include "base/json_scalar.h"
#include "base/text.h"
#include "base/utf8.h"

namespace llmroute::base {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr size_t kUsualFields = 8;
constexpr size_t kKeepParserBelow = size_t{1} << 20;

// The text of a JSON string with its quotes, lone surrogates included.
std::optional<std::string> unescape(std::string_view token) {
  if (token.size() < 2 || token.back() != '"') return std::nullopt;
  std::string out;
  const auto outcome = append_unescaped(out, token.substr(1, token.size() - 2));
  if (outcome == Unescaped::kBad) return std::nullopt;
  return out;
}

const Json& null_json() {
  static const Json null;
  return null;
}

}  // namespace

// Walks a document once and keeps all of it.
class JsonBuilder {
 public:
  static bool build(ondemand::value value, int depth, Json& out);

 private:
  static bool scalar(ondemand::value& value, Json& out);
  static bool string(ondemand::value& value, Json& out);
  static bool array(ondemand::value& value, int depth, Json& out);
  static bool object(ondemand::value& value, int depth, Json& out);
};

bool JsonBuilder::build(ondemand::value value, int depth, Json& out) {
  if (depth > kMaxJsonDepth) return false;
  ondemand::json_type type{};
  if (value.type().get(type)) return scalar(value, out);
  switch (type) {
    case ondemand::json_type::array:
      return array(value, depth, out);
    case ondemand::json_type::object:
      return object(value, depth, out);
    case ondemand::json_type::string:
      return string(value, out);
    case ondemand::json_type::number:
    case ondemand::json_type::boolean:
    case ondemand::json_type::null:
      return scalar(value, out);
  }
  return false;
}

bool JsonBuilder::scalar(ondemand::value& value, Json& out) {
  const std::string_view token = trim(value.raw_json_token());
  if (token == "null") return true;
  const bool boolean = token == "true" || token == "false";
  if (!boolean && !is_json_number(token)) return false;
  out.kind_ = boolean ? Json::Kind::kBool : Json::Kind::kNumber;
  out.text_ = token;
  return true;
}

bool JsonBuilder::string(ondemand::value& value, Json& out) {
  const std::string_view token = trim(value.raw_json_token());
  std::string_view text;
  out.kind_ = Json::Kind::kString;
  if (!value.get_string().get(text)) {
    out.text_ = text;
    return true;
  }
  auto unescaped = unescape(token);
  if (unescaped) out.text_ = std::move(*unescaped);
  return unescaped.has_value();
}

bool JsonBuilder::array(ondemand::value& value, int depth, Json& out) {
  ondemand::array array;
  if (value.get_array().get(array)) return false;
  out.kind_ = Json::Kind::kArray;
  for (auto element : array) {
    ondemand::value item;
    if (element.get(item)) return false;
    if (!build(item, depth + 1, out.items_.emplace_back())) return false;
  }
  return true;
}

bool JsonBuilder::object(ondemand::value& value, int depth, Json& out) {
  ondemand::object object;
  if (value.get_object().get(object)) return false;
  out.kind_ = Json::Kind::kObject;
  out.keys_.reserve(kUsualFields);
  out.items_.reserve(kUsualFields);
  for (auto element : object) {
    ondemand::field field;
    if (std::move(element).get(field)) return false;
    std::string_view key;
    if (field.unescaped_key().get(key)) key = "";
    out.keys_.emplace_back(key);
    if (!build(field.value(), depth + 1, out.items_.emplace_back())) {
      return false;
    }
  }
  return true;
}

namespace {

enum class Outcome { kRead, kBadUtf8, kBad };

// An array around the text lets a scalar be read like anything else.
Outcome read_with(ondemand::parser& parser, std::string& buffer,
                  std::string_view text, Json& root) {
  buffer.clear();
  buffer.reserve(text.size() + 2 + simdjson::SIMDJSON_PADDING);
  buffer += '[';
  buffer += text;
  buffer += ']';
  ondemand::document document;
  const auto error = parser
                         .iterate(simdjson::padded_string_view(
                             buffer.data(), buffer.size(), buffer.capacity()))
                         .get(document);
  if (error == simdjson::UTF8_ERROR) return Outcome::kBadUtf8;
  ondemand::array array;
  if (error || document.get_array().get(array)) return Outcome::kBad;
  int count = 0;
  for (auto element : array) {
    ondemand::value value;
    if (count++ > 0 || element.get(value) ||
        !JsonBuilder::build(value, 1, root)) {
      return Outcome::kBad;
    }
  }
  const bool at_end =
      document.current_location().error() == simdjson::OUT_OF_BOUNDS;
  return count == 1 && at_end ? Outcome::kRead : Outcome::kBad;
}

std::optional<JsonText> read_text(ondemand::parser& parser, std::string& buffer,
                                  std::string_view text) {
  JsonText result;
  Outcome outcome = read_with(parser, buffer, text, result.root);
  if (outcome == Outcome::kBadUtf8) {
    result = {{}, true};
    const std::string repaired = replace_invalid_utf8(text);
    outcome = read_with(parser, buffer, repaired, result.root);
  }
  if (outcome != Outcome::kRead) return std::nullopt;
  return result;
}

}  // namespace

std::optional<JsonText> read_json(std::string_view text) {
  if (text.size() < kKeepParserBelow) {
    thread_local ondemand::parser parser;
    thread_local std::string buffer;
    return read_text(parser, buffer, text);
  }
  ondemand::parser parser;
  std::string buffer;
  return read_text(parser, buffer, text);
}

void write_json(JsonWriter& out, const Json& value) {
  switch (value.kind()) {
    case Json::Kind::kNull:
      out.null();
      return;
    case Json::Kind::kBool:
      out.value(value.is_true());
      return;
    case Json::Kind::kNumber:
      out.raw(value.digits());
      return;
    case Json::Kind::kString:
      out.value(value.text());
      return;
    case Json::Kind::kArray:
      out.begin_array();
      for (const Json& item : value.items()) write_json(out, item);
      out.end_array();
      return;
    case Json::Kind::kObject:
      out.begin_object();
      for (size_t i = 0; i < value.names().size(); ++i) {
        out.key(value.names()[i]);
        write_json(out, value.items()[i]);
      }
      out.end_object();
  }
}

std::string compact_json(const Json& value) {
  JsonWriter json;
  write_json(json, value);
  return json.take();
}

std::optional<size_t> json_extent(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      if (c == '\\') ++at;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth <= 0) {
      return at + 1;
    }
  }
  return std::nullopt;
}

const Json& Json::operator[](std::string_view key) const {
  for (size_t i = keys_.size(); i-- > 0;) {
    if (keys_[i] == key && !items_[i].is_null()) return items_[i];
  }
  return null_json();
}

const Json* Json::find(std::string_view key) const {
  for (size_t i = keys_.size(); i-- > 0;) {
    if (keys_[i] == key) return &items_[i];
  }
  return nullptr;
}

const Json& Json::at(size_t index) const {
  return is_array() && index < items_.size() ? items_[index] : null_json();
}

std::optional<std::string_view> Json::string() const {
  if (kind_ != Kind::kString) return std::nullopt;
  return text_;
}

std::string_view Json::text_or_number() const {
  return kind_ == Kind::kString || kind_ == Kind::kNumber ? text_
                                                          : std::string_view();
}

std::optional<double> Json::number() const {
  return parse_double(trim(text_or_number()));
}

std::optional<int64_t> Json::count() const {
  constexpr double kLargest = 9007199254740992.0;  // 2^53
  const auto value = number();
  if (!value || *value < 0 || *value >= kLargest ||
      *value != std::floor(*value)) {
    return std::nullopt;
  }
  return static_cast<int64_t>(*value);
}

}  // namespace llmroute::base
