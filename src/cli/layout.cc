#include "cli/layout.h"

#include <algorithm>

#include "base/text.h"

namespace llmroute::cli {

std::vector<std::string> wrap(std::string_view text, size_t width) {
  std::vector<std::string> lines;
  for (const std::string& word : base::split(text, ' ')) {
    if (word.empty()) continue;
    if (!lines.empty() && lines.back().size() + 1 + word.size() <= width) {
      lines.back() += " " + word;
    } else {
      lines.push_back(word);
    }
  }
  return lines;
}

std::string paragraphs(std::string_view text, size_t indent) {
  std::string out;
  while (!text.empty()) {
    const size_t end = std::min(text.find("\n\n"), text.size());
    if (!out.empty()) out += "\n";
    for (const std::string& line :
         wrap(plain(text.substr(0, end)), kColumns - indent)) {
      out.append(indent, ' ').append(line).append("\n");
    }
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return out;
}

std::string definition(std::string_view term, std::string_view text,
                       size_t indent, size_t text_column) {
  std::string out(indent, ' ');
  out += term;
  const std::vector<std::string> lines =
      wrap(plain(text), kColumns - text_column);
  const bool beside = out.size() + 2 <= text_column;
  if (!beside && !lines.empty()) out += "\n";
  size_t column = beside ? out.size() : 0;
  for (const std::string& line : lines) {
    out.append(text_column - column, ' ').append(line).append("\n");
    column = 0;
  }
  if (lines.empty()) out += "\n";
  return out;
}

std::string plain(std::string_view text) {
  std::string out(text);
  std::erase(out, '`');
  return out;
}

}  // namespace llmroute::cli
