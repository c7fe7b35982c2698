// A regular expression in RE2's syntax: linear in the text whatever it is, with
// a bound on its memory.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace llmroute::core {

// Immutable; thread-safe.
class TextPattern {
 public:
  // kData: why RE2 refuses it (its program may take 8 MiB).
  static base::Result<TextPattern> compile(std::string_view pattern);
  TextPattern(TextPattern&&) noexcept;
  TextPattern& operator=(TextPattern&&) noexcept;
  ~TextPattern();

  bool matches_part_of(std::string_view text) const;
  bool matches(std::string_view text) const;

 private:
  explicit TextPattern(std::unique_ptr<const re2::RE2> pattern);
  std::unique_ptr<const re2::RE2> pattern_;
};

}  // namespace llmroute::core
