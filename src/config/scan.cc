#include "config/scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/utf8.h"
#include "config/read.h"

namespace llmroute::config {
namespace {

Position position_of(std::string_view text, size_t offset) {
  Position at;
  for (size_t i = 0; i < offset; ++i) {
    if (text[i] == '\n') {
      ++at.line;
      at.column = 1;
    } else if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) {
      ++at.column;
    }
  }
  return at;
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool is_quote(char c) { return c == '"' || c == '\''; }

// Walks the text as a TOML lexer would: in and out of strings and comments,
// counting open brackets and the parts of the key being read. What opens under
// a dotted key weighs as much as the key has parts, since that many tables
// nest. Brackets that do not match are told here, since the library gives up
// on some of them without a place.
class Scanner {
 public:
  Scanner(std::string_view text, const std::string& file)
      : text_(text), file_(file) {}

  base::Status run() {
    while (at_ < text_.size()) {
      LLMROUTE_CHECK(step());
    }
    return {};
  }

 private:
  base::Status step() {
    const char c = text_[at_];
    if (is_quote(c)) {
      skip_string(c);
    } else if (c == '#') {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else {
      LLMROUTE_CHECK(step_outside(c));
      ++at_;
    }
    return {};
  }

  base::Status step_outside(char c) {
    if (static_cast<unsigned char>(c) >= 0x80) {
      return fail("a character outside ASCII outside of a string");
    }
    if (c == '[' || c == '{') return open(c);
    if (c == ']' || c == '}') return close(c);
    if (c == ',' || c == '\n') dots_ = 0;
    if (c == '.' && ++dots_ >= kMaxKeyParts) {
      return fail(fmt::format("a key of more than {} parts", kMaxKeyParts));
    }
    return {};
  }

  base::Status open(char bracket) {
    if (open_.empty() && bracket == '[' && starts_line()) {
      LLMROUTE_CHECK(check_header());
    }
    open_.push_back({bracket == '[' ? ']' : '}', 1 + dots_});
    depth_ += open_.back().weight;
    dots_ = 0;
    if (depth_ <= kMaxNesting) return {};
    return fail(fmt::format("nested more than {} deep", kMaxNesting));
  }

  base::Status close(char bracket) {
    dots_ = 0;
    if (open_.empty()) return fail(fmt::format("'{}' closes nothing", bracket));
    if (open_.back().closes != bracket) {
      return fail(fmt::format("'{}' where '{}' was expected", bracket,
                              open_.back().closes));
    }
    depth_ -= open_.back().weight;
    open_.pop_back();
    return {};
  }

  bool starts_line() const {
    const size_t before = text_.find_last_not_of(" \t", at_ == 0 ? 0 : at_ - 1);
    return at_ == 0 || before == std::string_view::npos ||
           text_[before] == '\n';
  }

  // Something that may stand in a name must follow "[" or "[[".
  base::Status check_header() const {
    size_t next = at_ + 1;
    if (next < text_.size() && text_[next] == '[') ++next;
    next = text_.find_first_not_of(" \t", next);
    if (next == std::string_view::npos || is_quote(text_[next]) ||
        is_name_character(text_[next])) {
      return {};
    }
    return error_at(file_, position_of(text_, next),
                    "the name of a section was expected");
  }

  void skip_string(char quote) {
    const std::string triple(3, quote);
    if (text_.substr(at_).starts_with(triple)) {
      skip_long_string(quote, triple);
      return;
    }
    for (++at_; at_ < text_.size() && text_[at_] != '\n'; ++at_) {
      if (text_[at_] == quote) {
        ++at_;
        return;
      }
      if (quote == '"' && text_[at_] == '\\') ++at_;
    }
  }

  // Up to two more quotes may stand before the three that close.
  void skip_long_string(char quote, const std::string& triple) {
    at_ += 3;
    while (at_ < text_.size() && !text_.substr(at_).starts_with(triple)) {
      at_ += quote == '"' && text_[at_] == '\\' ? size_t{2} : size_t{1};
    }
    at_ = std::min(at_ + 3, text_.size());
    for (int i = 0; i < 2 && at_ < text_.size() && text_[at_] == quote; ++i) {
      ++at_;
    }
  }

  base::Error fail(const std::string& what) const {
    return error_at(file_, position_of(text_, at_), what);
  }

  std::string_view text_;
  const std::string& file_;
  size_t at_ = 0;
  struct Bracket {
    char closes;
    size_t weight;
  };
  std::vector<Bracket> open_;
  size_t depth_ = 0;  // the sum of their weights
  size_t dots_ = 0;   // of the key being read
};

base::Status check_lines(std::string_view text, const std::string& file) {
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    if (end - start > kMaxLine) {
      return error_at(
          file, position_of(text, start),
          fmt::format("a line of more than {} KiB", kMaxLine >> 10));
    }
    start = end + 1;
  }
  return {};
}

}  // namespace

base::Status scan_toml(std::string_view text, const std::string& file) {
  if (text.size() > kMaxFile) {
    return error_at(
        file, {},
        fmt::format("the file is larger than {} MiB", kMaxFile >> 20));
  }
  if (const auto bad = base::find_invalid_utf8(text)) {
    return error_at(file, position_of(text, *bad), "not valid UTF-8");
  }
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return error_at(file, position_of(text, nul), "a NUL byte");
  }
  LLMROUTE_CHECK(check_lines(text, file));
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return Scanner(text, file).run();
}

}  // namespace llmroute::config
