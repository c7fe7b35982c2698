#include "batch/template.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace llmroute::batch {
namespace {

base::Error bad_template(std::string message) {
  return {base::ErrorKind::kUsage, std::move(message)};
}

const JsonNode* find_element(const JsonNode& array, std::string_view number) {
  size_t left = 0;
  const char* end = number.data() + number.size();
  const auto read = std::from_chars(number.data(), end, left);
  if (read.ec != std::errc() || read.ptr != end) return nullptr;
  for (const JsonNode& element : array.children()) {
    if (left-- == 0) return &element;
  }
  return nullptr;
}

const JsonNode* find_within(const JsonNode& node, std::string_view path) {
  if (node.is(JsonNode::Kind::kObject)) {
    if (const JsonNode* named = node.find(path)) return named;
  }
  const size_t dot = path.find('.');
  const std::string_view first = path.substr(0, dot);
  const JsonNode* next = node.is(JsonNode::Kind::kArray)
                             ? find_element(node, first)
                             : node.find(first);
  if (next == nullptr || dot == std::string_view::npos) return next;
  return find_within(*next, path.substr(dot + 1));
}

}  // namespace

base::Result<Template> Template::parse(std::string_view text) {
  Template made;
  std::string literal;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const bool doubled = at + 1 < text.size() && text[at + 1] == c;
    if (c != '{' && c != '}') {
      literal += c;
    } else if (doubled) {
      literal += c;
      ++at;
    } else if (c == '}') {
      return bad_template("a '}' that closes nothing ('}}' is a brace)");
    } else {
      const size_t end = text.find_first_of("{}", at + 1);
      if (end == std::string_view::npos || text[end] == '{') {
        return bad_template("a '{' that is not closed ('{{' is a brace)");
      }
      if (end == at + 1) return bad_template("no name between '{' and '}'");
      made.pieces_.push_back({std::exchange(literal, {}),
                              std::string(text.substr(at + 1, end - at - 1))});
      at = end;
    }
  }
  made.rest_ = std::move(literal);
  return made;
}

Template Template::of_field(std::string_view name) {
  Template made;
  made.pieces_.push_back({"", std::string(name)});
  return made;
}

int Template::levels() const {
  int levels = 1;
  for (const Piece& piece : pieces_) {
    const auto dots = std::ranges::count(piece.field, '.');
    levels = std::max(levels, 1 + static_cast<int>(dots));
  }
  return levels;
}

Fault Template::fill(const JsonNode& object, std::string& out) const {
  for (const Piece& piece : pieces_) {
    const JsonNode* value = find_within(object, piece.field);
    if (value == nullptr) {
      return RecordError{"missing_field",
                         fmt::format("no field '{}'", piece.field)};
    }
    if (value->lone_surrogate) return half_a_pair(piece.field);
    out += piece.text;
    out += value->is(JsonNode::Kind::kString) ? value->text : value->raw;
  }
  out += rest_;
  return std::nullopt;
}

}  // namespace llmroute::batch
