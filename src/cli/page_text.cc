#include "cli/page_text.h"

#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/layout.h"

namespace llmroute::cli {
namespace {

constexpr size_t kIndent = 2;
constexpr size_t kItemIndent = 6;

// What an escape stands for: \fB and \& for nothing. `at`: after the backslash;
// moved behind it.
std::string_view escaped(std::string_view line, size_t& at) {
  constexpr std::pair<std::string_view, std::string_view> kEscapes[] = {
      {"fB", ""},  {"fI", ""},   {"fP", ""},   {"&", ""},    {"-", "-"},
      {"e", "\\"}, {"(ti", "~"}, {"(ha", "^"}, {"(aq", "'"}, {"(ga", "`"}};
  for (const auto& [escape, text] : kEscapes) {
    if (!line.substr(at).starts_with(escape)) continue;
    at += escape.size();
    return text;
  }
  return "\\";
}

std::string plain_line(std::string_view line) {
  std::string out;
  for (size_t at = 0; at < line.size();) {
    if (line[at] == '\\') {
      out += escaped(line, ++at);
    } else {
      out += line[at++];
    }
  }
  return out;
}

class Page {
 public:
  void read(const std::string& line);
  std::string take() {
    end_paragraph();
    return std::move(out_);
  }

 private:
  void request(std::string_view line);
  void put(size_t indent, std::string_view line) {
    out_.append(indent, ' ').append(line).append("\n");
  }
  void blank() {
    if (!out_.empty() && !out_.ends_with("\n\n")) out_ += '\n';
  }
  void end_paragraph();

  std::string out_;
  std::string prose_;        // of the paragraph so far
  size_t indent_ = kIndent;  // of that
  bool literal_ = false;
  bool term_ = false;  // the next line is one
};

void Page::end_paragraph() {
  for (const std::string& line : wrap(prose_, kColumns - indent_)) {
    put(indent_, line);
  }
  prose_.clear();
}

void Page::request(std::string_view line) {
  end_paragraph();
  const std::string_view name = line.substr(0, 3);
  if (name == ".SH" || name == ".SS") {
    blank();
    put(name == ".SH" ? 0 : 1, plain_line(line.substr(4)));
    indent_ = kIndent;
  } else if (name == ".PP") {
    blank();
    indent_ = kIndent;
  } else if (name == ".TP") {
    term_ = true;
  } else if (name == ".nf" || name == ".fi") {
    literal_ = name == ".nf";
  }
}

void Page::read(const std::string& line) {
  if (line.starts_with('.')) return request(line);
  const std::string text = plain_line(line);
  if (literal_) return put(text.empty() ? 0 : kItemIndent, text);
  if (std::exchange(term_, false)) {
    for (const std::string& part : wrap(text, kColumns - kIndent)) {
      put(kIndent, part);
    }
    indent_ = kItemIndent;
    return;
  }
  if (!prose_.empty()) prose_ += ' ';
  prose_ += text;
}

}  // namespace

std::string page_text(std::string_view page) {
  Page text;
  for (const std::string& line : base::split(page, '\n')) text.read(line);
  return text.take();
}

}  // namespace llmroute::cli
