// A text table: columns as wide as their widest cell, two spaces between,
// right-aligned where asked.
#pragma once

#include <string>
#include <vector>

namespace llmroute::base {

class Table {
 public:
  // `alignment`: one character per column, 'l' or 'r'.
  explicit Table(std::string alignment) : alignment_(std::move(alignment)) {}
  // REQUIRES: as many cells as columns.
  void add_row(std::vector<std::string> cells);
  // Each row on a line of its own, no trailing blanks, `indent` spaces in
  // front.
  std::string render(size_t indent = 0) const;

  // Of what render() gives.
  size_t width() const;

  // Leaves out columns until it is at most `most` wide: those whose cell in the
  // first row is one of `heads`, in that order. Returns which. REQUIRES: a row.
  std::vector<std::string> narrow(size_t most,
                                  const std::vector<std::string>& heads);

 private:
  std::vector<size_t> widths() const;

  std::string alignment_;
  std::vector<std::vector<std::string>> rows_;
};

// Columns a terminal needs for `text`: wide characters (East Asian, emoji)
// count two, combining marks none.
size_t display_width(const std::string& text);

// A line broken at blanks to at most `columns`, continued after `indent`
// blanks; it is not broken within its first `indent` columns, nor within a
// word.
std::string wrapped(const std::string& line, size_t columns, size_t indent);

// `text` cut to at most that many columns.
std::string clip_to_width(const std::string& text, size_t columns);

}  // namespace llmroute::base
