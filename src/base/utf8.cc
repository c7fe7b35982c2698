#include "base/utf8.h"

#include <cstdint>
#include <cstring>

namespace llmroute::base {
namespace {

struct Sequence {
  size_t length = 1;  // bytes to step over
  bool valid = false;
  bool cut = false;  // a valid beginning that the text ends in
};

uint8_t byte_at(std::string_view text, size_t at) {
  return static_cast<uint8_t>(text[at]);
}

// Allowed range of the second byte depends on the first (Table 3-7).
bool second_byte_ok(uint8_t first, uint8_t second) {
  switch (first) {
    case 0xE0:
      return second >= 0xA0 && second <= 0xBF;
    case 0xED:
      return second >= 0x80 && second <= 0x9F;
    case 0xF0:
      return second >= 0x90 && second <= 0xBF;
    case 0xF4:
      return second >= 0x80 && second <= 0x8F;
    default:
      return second >= 0x80 && second <= 0xBF;
  }
}

size_t sequence_length(uint8_t first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if (first >= 0xE0 && first <= 0xEF) return 3;
  if (first >= 0xF0 && first <= 0xF4) return 4;
  return 0;
}

Sequence read_sequence(std::string_view text, size_t at) {
  const uint8_t first = byte_at(text, at);
  const size_t length = sequence_length(first);
  if (length == 0) return {1, false, false};
  for (size_t i = 1; i < length; ++i) {
    if (at + i == text.size()) return {i, false, true};
    const uint8_t next = byte_at(text, at + i);
    const bool ok =
        i == 1 ? second_byte_ok(first, next) : (next >= 0x80 && next <= 0xBF);
    if (!ok) return {i, false, false};
  }
  return {length, true, false};
}

}  // namespace

size_t ascii_run(std::string_view text, size_t at) {
  const size_t start = at;
  while (at + 8 <= text.size()) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    if ((word & 0x8080808080808080ULL) != 0) break;
    at += 8;
  }
  while (at < text.size() && byte_at(text, at) < 0x80) ++at;
  return at - start;
}

std::optional<size_t> find_invalid_utf8(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    at += ascii_run(text, at);
    if (at == text.size()) break;
    const Sequence sequence = read_sequence(text, at);
    if (!sequence.valid) return at;
    at += sequence.length;
  }
  return std::nullopt;
}

std::string replace_invalid_utf8(std::string_view text) {
  Utf8Repairer repairer;
  std::string repaired = repairer.feed(text);
  return repaired += repairer.finish();
}

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&out](char32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6));
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3F));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

char32_t next_code_point(std::string_view text, size_t& at) {
  const Sequence sequence = read_sequence(text, at);
  const size_t start = at;
  at += sequence.length;
  if (!sequence.valid) return 0xFFFD;
  const char32_t first = byte_at(text, start);
  if (sequence.length == 1) return first;
  char32_t c = first & (0x7FU >> sequence.length);
  for (size_t i = 1; i < sequence.length; ++i) {
    c = (c << 6) | (byte_at(text, start + i) & 0x3FU);
  }
  return c;
}

std::string Utf8Repairer::feed(std::string_view chunk) {
  held_ += chunk;
  const std::string text = std::move(held_);
  held_.clear();
  std::string out;
  out.reserve(text.size());
  size_t at = 0;
  while (at < text.size()) {
    const size_t ascii = ascii_run(text, at);
    out.append(text, at, ascii);
    at += ascii;
    if (at == text.size()) break;
    const Sequence sequence = read_sequence(text, at);
    if (sequence.cut) {
      held_ = text.substr(at);
      break;
    }
    if (sequence.valid) {
      out.append(text, at, sequence.length);
    } else {
      append_utf8(out, 0xFFFD);
      repaired_ = true;
    }
    at += sequence.length;
  }
  return out;
}

std::string Utf8Repairer::finish() {
  if (held_.empty()) return {};
  held_.clear();
  repaired_ = true;
  std::string out;
  append_utf8(out, 0xFFFD);
  return out;
}

}  // namespace llmroute::base
