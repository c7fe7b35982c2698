// Text as man(7) wants it. What is made of prose ends with a newline.
#pragma once

#include <string>
#include <string_view>

namespace llmroute::cli {

// Prose, in lines of at most 80 columns: what roff would read as a command or
// an escape is protected, a `word` in backquotes becomes bold.
std::string roff(std::string_view text);

// The same for something to type: every hyphen is a minus that can be copied.
std::string roff_literal(std::string_view text);

std::string roff_bold(std::string_view text);
std::string roff_italic(std::string_view text);

// Paragraphs separated by blank lines.
std::string roff_paragraphs(std::string_view text);

// A term and what it means. `term` is roff already, `text` is prose.
std::string roff_item(std::string_view term, std::string_view text);

// Lines kept as they are, indented.
std::string roff_block(std::string_view lines);

}  // namespace llmroute::cli
