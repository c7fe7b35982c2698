#include "base/terminal_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace llmroute::base {
namespace {

bool is_hidden(char32_t c) {
  return (c >= 0x80 && c <= 0x9F) || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0x2028 || c == 0x2029 ||
         c == 0xFEFF || (c >= 0xE0000 && c <= 0xE007F);
}

void append_caret(std::string& out, char32_t c) {
  out += '^';
  out += c == 0x7F ? '?' : static_cast<char>(c + 0x40);
}

}  // namespace

std::string TerminalFilter::show(std::string_view valid) {
  std::string out;
  out.reserve(valid.size());
  for (size_t at = 0; at < valid.size();) {
    const char32_t c = next_code_point(valid, at);
    if (pending_cr_ && c != '\n') append_caret(out, '\r');
    pending_cr_ = c == '\r';
    if (pending_cr_) continue;
    if (c == '\t' || c == '\n') {
      out += static_cast<char>(c);
    } else if (c < 0x20 || c == 0x7F) {
      append_caret(out, c);
    } else if (is_hidden(c)) {
      out += fmt::format("<U+{:04X}>", static_cast<uint32_t>(c));
    } else {
      append_utf8(out, c);
    }
  }
  return out;
}

std::string TerminalFilter::feed(std::string_view chunk) {
  return show(repairer_.feed(chunk));
}

std::string TerminalFilter::finish() {
  std::string out = show(repairer_.finish());
  if (pending_cr_) append_caret(out, '\r');
  pending_cr_ = false;
  return out;
}

std::string visible_text(std::string_view text) {
  TerminalFilter filter;
  std::string out = filter.feed(text);
  return out += filter.finish();
}

std::string visible_line(std::string_view text) {
  std::string line = visible_text(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

}  // namespace llmroute::base
