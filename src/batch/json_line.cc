#include "batch/json_line.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/json_scalar.h"
#include "base/text.h"
#include "base/utf8.h"

namespace llmroute::batch {
namespace {

namespace ondemand = simdjson::ondemand;
using Kind = JsonNode::Kind;

constexpr size_t kMostNodes = size_t{1} << 18;
constexpr size_t kKeepBuffersBelow = size_t{1} << 20;
constexpr size_t kFewKeys = 16;
constexpr size_t kNoNode = SIZE_MAX;
constexpr std::string_view kBlanks = " \t\r\n";

RecordError bad_json(std::string message) {
  return {"bad_json", std::move(message)};
}

std::string_view without_blanks_after(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

RecordError error_of(simdjson::error_code error, std::string_view line) {
  switch (error) {
    case simdjson::UTF8_ERROR:
      return {"not_utf8",
              fmt::format("invalid UTF-8 at byte {}",
                          base::find_invalid_utf8(line).value_or(0))};
    case simdjson::UNCLOSED_STRING:
      return bad_json("not JSON: a string is not closed (is the line cut?)");
    case simdjson::UNESCAPED_CHARS:
      return bad_json("not JSON: a control character in a string");
    default:
      return bad_json("not JSON (is the line cut?)");
  }
}

bool is_kept_whole(std::string_view key) {
  return key == "meta" || key == "schema";
}

Fault wrong_start(std::string_view line) {
  const size_t first = line.find_first_not_of(kBlanks);
  const char c = first == std::string_view::npos ? '\0' : line[first];
  if (c == '{') return std::nullopt;
  if (c == '[') {
    return bad_json("an array, not an object (jq -c '.[]' makes lines of it)");
  }
  return bad_json("not a JSON object (--lines takes plain lines)");
}

}  // namespace

// Walks a document once, checks all of it and lays out the upper levels.
struct JsonLine::Impl {
  ondemand::parser parser;
  ondemand::document document;
  std::string buffer;     // the line, padded
  std::string unescaped;  // never grows during a parse: views point into it
  std::vector<JsonNode> nodes;
  std::vector<std::string_view> keys;  // of the objects being walked
  int kept_levels = 0;
  What what = What::kRecord;
  int deepest = 0;
  Fault fault;

  void reset(std::string_view line, int levels);
  Fault read_root();
  bool fail(RecordError error);
  bool walk(ondemand::value value, int depth, size_t at);
  bool scalar(ondemand::value& value, size_t at);
  bool string(std::string_view token, JsonNode& node);
  bool container(ondemand::value& value, bool is_array, int depth, size_t at);
  bool array(ondemand::array array, int depth, size_t at);
  bool object(ondemand::object object, int depth, size_t at);
  bool unescape(std::string_view between_quotes, std::string_view& text,
                bool& lone_surrogate);
  bool read_key(ondemand::field& field, bool laid_out, std::string_view& key);
  bool lays_out(size_t at, int depth) const;
  // `depth` and `parent` are those of the object or array around it.
  bool child(ondemand::value value, std::string_view key, int depth,
             size_t parent);
};

void JsonLine::Impl::reset(std::string_view line, int levels) {
  if (buffer.capacity() > kKeepBuffersBelow) {
    parser = ondemand::parser();
    buffer = std::string();
    unescaped = std::string();
    nodes = {};
  }
  buffer.reserve(line.size() + simdjson::SIMDJSON_PADDING);
  buffer.assign(line);
  unescaped.clear();
  unescaped.reserve(line.size());
  nodes.clear();
  keys.clear();
  kept_levels = levels;
  fault.reset();
}

bool JsonLine::Impl::fail(RecordError error) {
  if (!fault) fault = std::move(error);
  return false;
}

Fault JsonLine::Impl::read_root() {
  const auto error = parser
                         .iterate(simdjson::padded_string_view(
                             buffer.data(), buffer.size(), buffer.capacity()))
                         .get(document);
  if (error) return error_of(error, buffer);
  ondemand::object root;
  if (const auto wrong = document.get_object().get(root)) {
    return error_of(wrong, buffer);
  }
  nodes.emplace_back().kind = Kind::kObject;
  if (!object(root, 1, 0)) {
    return fault ? fault : error_of(simdjson::TAPE_ERROR, buffer);
  }
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    return bad_json("more than one JSON text on the line");
  }
  nodes[0].raw = base::trim(buffer);
  nodes[0].size = static_cast<uint32_t>(nodes.size());
  return std::nullopt;
}

bool JsonLine::Impl::walk(ondemand::value value, int depth, size_t at) {
  ondemand::json_type type{};
  if (value.type().get(type)) return false;
  const bool is_array = type == ondemand::json_type::array;
  if (is_array || type == ondemand::json_type::object) {
    return container(value, is_array, depth, at);
  }
  return scalar(value, at);
}

bool JsonLine::Impl::scalar(ondemand::value& value, size_t at) {
  JsonNode ignored;
  JsonNode& node = at == kNoNode ? ignored : nodes[at];
  const std::string_view token = without_blanks_after(value.raw_json_token());
  node.raw = token;
  if (token.starts_with('"')) return string(token, node);
  if (token == "null") return true;
  const bool boolean = token == "true" || token == "false";
  node.kind = boolean ? Kind::kBool : Kind::kNumber;
  return boolean || base::is_json_number(token);
}

bool JsonLine::Impl::string(std::string_view token, JsonNode& node) {
  node.kind = Kind::kString;
  return token.size() >= 2 && token.ends_with('"') &&
         unescape(token.substr(1, token.size() - 2), node.text,
                  node.lone_surrogate);
}

bool JsonLine::Impl::unescape(std::string_view between_quotes,
                              std::string_view& text, bool& lone_surrogate) {
  text = between_quotes;
  if (text.find('\\') == std::string_view::npos) return true;
  const size_t from = unescaped.size();
  const auto outcome = base::append_unescaped(unescaped, between_quotes);
  if (outcome == base::Unescaped::kBad) {
    return fail(bad_json("not JSON: an unknown escape in a string"));
  }
  text = std::string_view(unescaped).substr(from);
  lone_surrogate = outcome == base::Unescaped::kLoneSurrogate;
  return true;
}

bool JsonLine::Impl::container(ondemand::value& value, bool is_array, int depth,
                               size_t at) {
  if (depth > kMaxLineDepth) {
    return fail(
        bad_json(fmt::format("nested deeper than {} levels", kMaxLineDepth)));
  }
  const char* begin = value.raw_json_token().data();
  const int outer = std::exchange(deepest, depth);
  bool good = false;
  if (is_array) {
    ondemand::array items;
    good = !value.get_array().get(items) && array(items, depth, at);
  } else {
    ondemand::object members;
    good = !value.get_object().get(members) && object(members, depth, at);
  }
  const char* next = nullptr;
  if (!good || document.current_location().get(next)) return false;
  if (at != kNoNode) {
    JsonNode& node = nodes[at];
    node.kind = is_array ? Kind::kArray : Kind::kObject;
    node.raw = without_blanks_after({begin, static_cast<size_t>(next - begin)});
    node.size = static_cast<uint32_t>(nodes.size() - at);
    node.levels = static_cast<uint8_t>(deepest - depth);
  }
  deepest = std::max(outer, deepest);
  return true;
}

// Whether what is in the object or array at `at` is laid out.
bool JsonLine::Impl::lays_out(size_t at, int depth) const {
  return at != kNoNode && depth <= kept_levels &&
         !(depth == 2 && what == What::kRecord && is_kept_whole(nodes[at].key));
}

bool JsonLine::Impl::child(ondemand::value value, std::string_view key,
                           int depth, size_t parent) {
  size_t at = kNoNode;
  if (lays_out(parent, depth)) {
    if (nodes.size() >= kMostNodes) {
      return fail(bad_json(fmt::format("more than {} values", kMostNodes)));
    }
    at = nodes.size();
    nodes.emplace_back().key = key;
  }
  return walk(value, depth + 1, at);
}

bool JsonLine::Impl::array(ondemand::array array, int depth, size_t at) {
  for (auto element : array) {
    ondemand::value value;
    if (element.get(value) || !child(value, {}, depth, at)) return false;
  }
  return true;
}

// simdjson has checked that the key's string is closed.
bool JsonLine::Impl::read_key(ondemand::field& field, bool laid_out,
                              std::string_view& key) {
  const char* begin = field.key().raw();
  const char* end = begin;
  bool escaped = false;
  for (; *end != '"'; end += *end == '\\' ? 2 : 1) {
    escaped = escaped || *end == '\\';
  }
  key = std::string_view(begin, static_cast<size_t>(end - begin));
  if (!escaped) return true;
  const std::string_view raw = key;
  bool lone_surrogate = false;
  if (!unescape(raw, key, lone_surrogate)) return false;
  return !lone_surrogate || !laid_out || fail(half_a_pair(raw));
}

bool JsonLine::Impl::object(ondemand::object object, int depth, size_t at) {
  const size_t base = keys.size();
  const bool laid_out = lays_out(at, depth);
  std::optional<std::unordered_set<std::string_view>> many;
  for (auto element : object) {
    ondemand::field field;
    std::string_view key;
    if (std::move(element).get(field) || !read_key(field, laid_out, key))
      return false;
    bool is_new = true;
    if (keys.size() - base < kFewKeys) {
      is_new = std::find(keys.begin() + static_cast<ptrdiff_t>(base),
                         keys.end(), key) == keys.end();
      keys.push_back(key);
    } else {
      if (!many) {
        many.emplace(keys.begin() + static_cast<ptrdiff_t>(base), keys.end());
      }
      is_new = many->insert(key).second;
    }
    if (!is_new) {
      return fail(bad_json(fmt::format("the key '{}' occurs twice", key)));
    }
    if (!child(field.value(), key, depth, at)) return false;
  }
  keys.resize(base);
  return true;
}

JsonLine::JsonLine() : impl_(std::make_unique<Impl>()) {}
JsonLine::JsonLine(JsonLine&&) noexcept = default;
JsonLine::~JsonLine() = default;

Fault JsonLine::parse(std::string_view line, int levels, What what) {
  impl_->what = what;
  impl_->reset(line, levels);
  LLMROUTE_FAULT(wrong_start(line));
  return impl_->read_root();
}

bool JsonLine::is_value(std::string_view text) {
  if (parse(fmt::format("{{\"value\":{}}}", text), 1)) return false;
  const JsonNode* value = root().find("value");
  return root().size == 2 && value->raw == base::trim(text);
}

const JsonNode& JsonLine::root() const { return impl_->nodes.front(); }

const JsonNode* JsonNode::find(std::string_view name) const {
  for (const JsonNode& child : children()) {
    if (child.key == name) return &child;
  }
  return nullptr;
}

const JsonNode* JsonNode::find_value(std::string_view name) const {
  const JsonNode* found = find(name);
  return found != nullptr && !found->is_null() ? found : nullptr;
}

std::string_view JsonNode::text_of(std::string_view name) const {
  const JsonNode* found = find(name);
  return found != nullptr ? found->text : std::string_view();
}

std::optional<int64_t> JsonNode::whole_number() const {
  if (kind != Kind::kNumber) return std::nullopt;
  if (const auto exact = base::parse_int(raw)) return exact;
  constexpr double kLargest = 9007199254740992.0;  // 2^53
  const auto value = base::parse_double(raw);
  if (!value || std::fabs(*value) > kLargest || *value != std::floor(*value)) {
    return std::nullopt;
  }
  return static_cast<int64_t>(*value);
}

}  // namespace llmroute::batch
