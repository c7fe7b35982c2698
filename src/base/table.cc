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

void Table::add_row(std::vector<std::string> cells) {
  assert(cells.size() == alignment_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::render(size_t indent) const {
  std::vector<size_t> widths(alignment_.size());
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i]));
    }
  }
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
