#include "core/text_pattern.h"

#include <re2/re2.h>

#include <utility>

namespace llmroute::core {

base::Result<TextPattern> TextPattern::compile(std::string_view pattern) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(8 << 20);
  auto compiled = std::make_unique<const RE2>(
      re2::StringPiece(pattern.data(), pattern.size()), options);
  if (compiled->ok()) return TextPattern(std::move(compiled));
  return base::Error{base::ErrorKind::kData, compiled->error()};
}

TextPattern::TextPattern(std::unique_ptr<const re2::RE2> pattern)
    : pattern_(std::move(pattern)) {}
TextPattern::TextPattern(TextPattern&&) noexcept = default;
TextPattern& TextPattern::operator=(TextPattern&&) noexcept = default;
TextPattern::~TextPattern() = default;

bool TextPattern::matches_part_of(std::string_view text) const {
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()),
                           *pattern_);
}

bool TextPattern::matches(std::string_view text) const {
  return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *pattern_);
}

}  // namespace llmroute::core
