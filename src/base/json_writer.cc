#include "base/json_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/utf8.h"

namespace llmroute::base {
namespace {

void append_escape(std::string& out, unsigned char c) {
  constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
  }
}

bool needs_escape(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7F;
}

constexpr uint64_t kOnes = 0x0101010101010101, kHighs = 0x80 * kOnes;

uint64_t eight_bytes(const char* bytes) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// Whether one of eight bytes needs an escape.
bool any_needs_escape(uint64_t word) {
  const auto below = [](uint64_t w, uint64_t limit) {
    return (w - limit * kOnes) & ~w & kHighs;
  };
  return (below(word, 0x20) | below(word ^ ('"' * kOnes), 1) |
          below(word ^ ('\\' * kOnes), 1) | below(word ^ (0x7F * kOnes), 1)) !=
         0;
}

// The first byte from `at` on that needs an escape.
size_t plain_end(std::string_view text, size_t at) {
  while (at + 8 <= text.size() &&
         !any_needs_escape(eight_bytes(text.data() + at))) {
    at += 8;
  }
  while (at < text.size() && !needs_escape(text[at])) ++at;
  return at;
}

// ASCII without anything to escape.
bool is_plain(std::string_view text) {
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    const uint64_t word = eight_bytes(text.data() + at);
    if ((word & kHighs) != 0 || any_needs_escape(word)) return false;
  }
  for (; at < text.size(); ++at) {
    if (static_cast<signed char>(text[at]) < 0 || needs_escape(text[at])) {
      return false;
    }
  }
  return true;
}

void append_valid(std::string& out, std::string_view text) {
  for (size_t at = 0;;) {
    const size_t end = plain_end(text, at);
    out.append(text, at, end - at);
    if (end == text.size()) return;
    append_escape(out, static_cast<unsigned char>(text[end]));
    at = end + 1;
  }
}

// Room for most of what follows, so that a text does not grow by little steps.
void make_room(std::string& out, size_t more) {
  constexpr size_t kFew = 240;
  const size_t needed = out.size() + more;
  if (needed <= out.capacity()) return;
  out.reserve(std::max({needed, 2 * out.capacity(), kFew}));
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  make_room(out, text.size() + 2);
  if (is_plain(text)) {
    const size_t at = out.size();
    out.append(text.size() + 2, '"');
    text.copy(out.data() + at + 1, text.size());
    return;
  }
  out += '"';
  if (find_invalid_utf8(text)) {
    append_valid(out, replace_invalid_utf8(text));
  } else {
    append_valid(out, text);
  }
  out += '"';
}

void JsonWriter::separate() {
  if (needs_comma_) text_ += ',';
  needs_comma_ = true;
}

JsonWriter& JsonWriter::begin_object() {
  separate();
  text_ += '{';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  text_ += '}';
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  separate();
  text_ += '[';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  text_ += ']';
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(text_, name);
  text_ += ':';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_json_string(text_, text);
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  if (!std::isfinite(number)) return null();
  char digits[32];
  const auto [end, error] =
      std::to_chars(digits, digits + sizeof digits, number);
  return literal({digits, static_cast<size_t>(end - digits)});
}

JsonWriter& JsonWriter::integer(int64_t number) {
  return literal(std::to_string(number));
}

JsonWriter& JsonWriter::literal(std::string_view text) {
  separate();
  text_ += text;
  return *this;
}

}  // namespace llmroute::base
