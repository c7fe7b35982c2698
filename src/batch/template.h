// A prompt made from the fields of an object: "Classify: {text}". "{{" and "}}"
// are braces. "{a.b.0}" is the field of that name or, where there is none, what
// lies within: b of a, and of that the first element.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "batch/json_line.h"
#include "batch/record_error.h"

namespace llmroute::batch {

// Thread-safe once made.
class Template {
 public:
  // A brace that is not closed or not opened, no name between them: kUsage.
  static base::Result<Template> parse(std::string_view text);
  // "{name}", whatever the name holds.
  static Template of_field(std::string_view name);

  // How deep its fields lie at most; 1: they are the object's own.
  int levels() const;

  // Appends to `out`: strings as they are, other values as their JSON text. A
  // field that is missing or half a surrogate pair is a fault.
  Fault fill(const JsonNode& object, std::string& out) const;

 private:
  struct Piece {
    std::string text;  // before the field
    std::string field;
  };
  std::vector<Piece> pieces_;
  std::string rest_;  // after the last field
};

}  // namespace llmroute::batch
