#include "base/table.h"

#include <algorithm>
#include <cassert>

#include "base/utf8.h"

namespace llmroute::base {
namespace {

bool is_combining(char32_t c) {
  return (c >= 0x300 && c <= 0x36F) || c == 0x200D ||
         (c >= 0xFE00 && c <= 0xFE0F);
}

bool is_wide(char32_t c) {
  return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
         (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
         (c >= 0x1F300 && c <= 0x1FAFF) || (c >= 0x20000 && c <= 0x3FFFD);
}

}  // namespace

std::string clip_to_width(const std::string& text, size_t columns) {
  size_t width = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t c = next_code_point(text, at);
    width += is_combining(c) ? 0U : is_wide(c) ? 2U : 1U;
    if (width > columns) return text.substr(0, begin);
  }
  return text;
}

size_t display_width(const std::string& text) {
  const bool ascii = std::all_of(text.begin(), text.end(),
                                 [](char c) { return (c & 0x80) == 0; });
  if (ascii) return text.size();
  size_t width = 0;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    if (!is_combining(c)) width += is_wide(c) ? 2U : 1U;
  }
  return width;
}

std::string wrapped(const std::string& line, size_t columns, size_t indent) {
  std::string out, prefix, rest = line;
  size_t unbroken = indent;
  while (display_width(prefix + rest) > columns) {
    const size_t room = columns > prefix.size() ? columns - prefix.size() : 0;
    size_t cut = rest.rfind(' ', clip_to_width(rest, room).size());
    if (cut == std::string::npos || cut < unbroken ||
        rest.find_first_not_of(' ') > cut) {
      const size_t word = rest.find_first_not_of(' ', unbroken);
      cut = word == std::string::npos ? word : rest.find(' ', word);
    }
    const size_t next = rest.find_first_not_of(' ', cut);
    if (cut == std::string::npos || next == std::string::npos) break;
    out += prefix + rest.substr(0, rest.find_last_not_of(' ', cut) + 1) + '\n';
    rest = rest.substr(next);
    prefix = std::string(indent, ' ');
    unbroken = 0;
  }
  return out + prefix + rest;
}

void Table::add_row(std::vector<std::string> cells) {
  assert(cells.size() == alignment_.size());
  rows_.push_back(std::move(cells));
}

std::vector<size_t> Table::widths() const {
  std::vector<size_t> widths(alignment_.size());
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i]));
    }
  }
  return widths;
}

size_t Table::width() const {
  size_t width = 0;
  for (const size_t column : widths()) width += column + 2;
  return width - std::min<size_t>(width, 2);
}

std::vector<std::string> Table::narrow(size_t most,
                                       const std::vector<std::string>& heads) {
  std::vector<std::string> gone;
  for (const std::string& head : heads) {
    if (width() <= most) break;
    const auto& first = rows_.front();
    const auto at = std::find(first.begin(), first.end(), head) - first.begin();
    if (static_cast<size_t>(at) == first.size()) continue;
    alignment_.erase(static_cast<size_t>(at), 1);
    for (auto& row : rows_) row.erase(row.begin() + at);
    gone.push_back(head);
  }
  return gone;
}

std::string Table::render(size_t indent) const {
  const std::vector<size_t> widths = this->widths();
  std::string text;
  for (const auto& row : rows_) {
    std::string line(indent, ' ');
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string pad(widths[i] - display_width(row[i]), ' ');
      if (i > 0) line += "  ";
      line += alignment_[i] == 'r' ? pad + row[i] : row[i] + pad;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

}  // namespace llmroute::base
