#include "base/json_scalar.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/utf8.h"

namespace llmroute::base {
namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr size_t kEscapeLength = 6;  // \uXXXX

// Steps over digits; false if there is none.
bool skip_digits(std::string_view& text) {
  const size_t count = std::min(text.find_first_not_of(kDigits), text.size());
  text.remove_prefix(count);
  return count > 0;
}

bool is_high(char32_t c) { return c >= 0xD800 && c < 0xDC00; }
bool is_low(char32_t c) { return c >= 0xDC00 && c < 0xE000; }

char simple_escape(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case '"':
    case '\\':
    case '/':
      return c;
    default:
      return '\0';
  }
}

// The number of \uXXXX at text[at]; nothing if it is not one.
std::optional<char32_t> unicode_escape(std::string_view text, size_t at) {
  if (text.substr(at, 2) != "\\u" || text.size() - at < kEscapeLength) {
    return std::nullopt;
  }
  const char* end = text.data() + at + kEscapeLength;
  uint32_t value = 0;
  const auto [stop, error] =
      std::from_chars(text.data() + at + 2, end, value, 16);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

// A \uXXXX escape, or two that make a pair. Moves `at` past it.
Unescaped append_unicode(std::string& out, std::string_view text, size_t& at) {
  const auto first = unicode_escape(text, at);
  if (!first) return Unescaped::kBad;
  at += kEscapeLength;
  if (!is_high(*first) && !is_low(*first)) {
    append_utf8(out, *first);
    return Unescaped::kText;
  }
  const auto second =
      at < text.size() ? unicode_escape(text, at) : std::nullopt;
  if (is_high(*first) && second && is_low(*second)) {
    at += kEscapeLength;
    append_utf8(out, 0x10000 + ((*first - 0xD800) << 10) + (*second - 0xDC00));
    return Unescaped::kText;
  }
  out += '\xED';
  out += static_cast<char>(0x80 | ((*first >> 6) & 0x3F));
  out += static_cast<char>(0x80 | (*first & 0x3F));
  return Unescaped::kLoneSurrogate;
}

}  // namespace

bool is_json_number(std::string_view token) {
  if (token.starts_with('-')) token.remove_prefix(1);
  if (token.size() > 1 && token[0] == '0' &&
      kDigits.find(token[1]) != std::string_view::npos) {
    return false;
  }
  if (!skip_digits(token)) return false;
  if (token.starts_with('.')) {
    token.remove_prefix(1);
    if (!skip_digits(token)) return false;
  }
  if (token.starts_with('e') || token.starts_with('E')) {
    token.remove_prefix(1);
    if (token.starts_with('+') || token.starts_with('-')) {
      token.remove_prefix(1);
    }
    if (!skip_digits(token)) return false;
  }
  return token.empty();
}

Unescaped append_unescaped(std::string& out, std::string_view between_quotes) {
  const std::string_view text = between_quotes;
  Unescaped result = Unescaped::kText;
  for (size_t at = 0; at < text.size();) {
    const size_t escape = std::min(text.find('\\', at), text.size());
    out.append(text, at, escape - at);
    at = escape;
    if (at + 1 >= text.size()) {
      return at == text.size() ? result : Unescaped::kBad;
    }
    if (text[at + 1] == 'u') {
      const Unescaped one = append_unicode(out, text, at);
      if (one == Unescaped::kBad) return one;
      if (one == Unescaped::kLoneSurrogate) result = one;
    } else {
      const char c = simple_escape(text[at + 1]);
      if (c == '\0') return Unescaped::kBad;
      out += c;
      at += 2;
    }
  }
  return result;
}

}  // namespace llmroute::base
