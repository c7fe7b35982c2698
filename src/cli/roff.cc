#include "cli/roff.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "cli/layout.h"

namespace llmroute::cli {
namespace {

void append_protected(std::string& out, char c, bool literal) {
  switch (c) {
    case '\\':
      out += "\\e";
      break;
    case '-':
      out += literal ? "\\-" : "-";
      break;
    case '~':
      out += "\\(ti";
      break;
    case '^':
      out += "\\(ha";
      break;
    case '\'':
      out += "\\(aq";
      break;
    case '`':
      out += "\\(ga";
      break;
    default:
      out += c;
  }
}

// A point at the start of a line would be a command.
std::string guarded(std::string line) {
  return line.starts_with('.') ? "\\&" + line : line;
}

// Source lines of prose: roff fills them anew.
std::string lines_of(std::string_view prose) {
  constexpr size_t kWidth = 76;
  std::string out;
  for (std::string& line : wrap(prose, kWidth)) {
    out += guarded(std::move(line)) + "\n";
  }
  return out;
}

}  // namespace

std::string roff(std::string_view text) {
  std::string out;
  bool bold = false;
  for (const char c : text) {
    if (c == '`') {
      bold = !bold;
      out += bold ? "\\fB" : "\\fP";
    } else {
      append_protected(out, c, bold);
    }
  }
  return lines_of(out);
}

std::string roff_literal(std::string_view text) {
  std::string out;
  for (const char c : text) append_protected(out, c, true);
  return guarded(std::move(out));
}

std::string roff_bold(std::string_view text) {
  return fmt::format("\\fB{}\\fP", roff_literal(text));
}

std::string roff_italic(std::string_view text) {
  return fmt::format("\\fI{}\\fP", roff_literal(text));
}

std::string roff_paragraphs(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t end = std::min(text.find("\n\n"), text.size());
    if (!out.empty()) out += ".PP\n";
    out += roff(text.substr(0, end));
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return out;
}

std::string roff_item(std::string_view term, std::string_view text) {
  return fmt::format(".TP\n{}\n{}", term, roff(text));
}

std::string roff_block(std::string_view lines) {
  std::string out = ".PP\n.RS 4\n.nf\n";
  for (const std::string& line : base::split(lines, '\n')) {
    out += (line.empty() ? "\\&" : roff_literal(line)) + "\n";
  }
  return out + ".fi\n.RE\n";
}

}  // namespace llmroute::cli
