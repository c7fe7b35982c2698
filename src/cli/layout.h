// Plain text for a terminal of 80 columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace llmroute::cli {

inline constexpr size_t kColumns = 80;

// Lines of at most `width` columns, broken at blanks; a longer word stays
// whole.
std::vector<std::string> wrap(std::string_view text, size_t width);

// Paragraphs (separated by a blank line in `text`), wrapped and indented.
std::string paragraphs(std::string_view text, size_t indent);

// `term` at `indent`, the text wrapped from column `text_column` on; a term
// that is too long has a line of its own.
std::string definition(std::string_view term, std::string_view text,
                       size_t indent, size_t text_column);

// Backquotes taken away.
std::string plain(std::string_view text);

}  // namespace llmroute::cli
