#include "batch/template.h"

#include <fmt/format.h>

#include <utility>

namespace llmroute::batch {
namespace {

base::Error bad_template(std::string message) {
  return {base::ErrorKind::kUsage, std::move(message)};
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

Fault Template::fill(const JsonNode& object, std::string& out) const {
  for (const Piece& piece : pieces_) {
    const JsonNode* value = object.find(piece.field);
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
