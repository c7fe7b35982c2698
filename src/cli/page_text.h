// A manual page as plain text, for where there is no man(1).
#pragma once

#include <string>
#include <string_view>

namespace llmroute::cli {

// In lines of at most 80 columns, but for literal blocks. REQUIRES: a page made
// with cli/roff.h alone.
std::string page_text(std::string_view page);

}  // namespace llmroute::cli
