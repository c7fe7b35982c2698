// UTF-8 as the Unicode standard defines it (Table 3-7): no overlong forms, no
// surrogates, at most U+10FFFF.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace llmroute::base {

// Length of the run of ASCII bytes at `at`.
size_t ascii_run(std::string_view text, size_t at);

// Byte offset of the first invalid sequence; nothing if all of `text` is valid.
std::optional<size_t> find_invalid_utf8(std::string_view text);

// Replaces every maximal invalid subpart by U+FFFD (Unicode 3.9, best
// practice).
std::string replace_invalid_utf8(std::string_view text);

void append_utf8(std::string& out, char32_t code_point);

// Decodes the sequence at text[at] and moves `at` past it; U+FFFD past one
// maximal subpart if invalid.
char32_t next_code_point(std::string_view text, size_t& at);

// Repairs a stream of chunks: a sequence split between two chunks is held back
// (at most 3 bytes) until it is whole. One thread.
class Utf8Repairer {
 public:
  // The repaired bytes that can be passed on now.
  std::string feed(std::string_view chunk);
  // The end: what is held back is an incomplete sequence, so U+FFFD or nothing.
  std::string finish();
  bool repaired() const { return repaired_; }

 private:
  std::string held_;
  bool repaired_ = false;
};

}  // namespace llmroute::base
