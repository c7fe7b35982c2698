#include "config/document.h"

#include <fmt/format.h>

#include <optional>

#include "base/text.h"

namespace llmroute::config {

const Node* Node::find(std::string_view key) const {
  for (const Member& member : members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

std::string_view kind_text(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::kString:
      return "a string";
    case Node::Kind::kInteger:
      return "an integer";
    case Node::Kind::kFloat:
      return "a float";
    case Node::Kind::kBool:
      return "a boolean";
    case Node::Kind::kDate:
      return "a date or time";
    case Node::Kind::kArray:
      return "an array";
    case Node::Kind::kTable:
      return "a table";
  }
  return "";
}

base::Error error_at(const std::string& file, Position at,
                     const std::string& what) {
  return {base::ErrorKind::kConfig,
          fmt::format("{}:{}:{}: {}", file, at.line, at.column, what)};
}

std::string did_you_mean(std::string_view name,
                         const std::vector<std::string>& known) {
  const std::optional<std::string> near = base::nearest_name(name, known);
  return near ? fmt::format(" (did you mean '{}'?)", *near) : "";
}

}  // namespace llmroute::config
