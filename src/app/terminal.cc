#include "app/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "base/table.h"
#include "base/text.h"

namespace llmroute::app {

bool stdout_is_terminal() { return ::isatty(STDOUT_FILENO) != 0; }

std::optional<size_t> screen_columns(int fd) {
  winsize size{};
  const bool known = ::isatty(fd) == 1 && ::ioctl(fd, TIOCGWINSZ, &size) == 0 &&
                     size.ws_col > 0;
  return known ? std::optional<size_t>(size.ws_col) : std::nullopt;
}

std::string fitted_to_screen(const std::string& text, size_t label) {
  const auto columns = screen_columns(STDOUT_FILENO);
  if (!columns) return text;
  std::vector<std::string> lines;
  for (const std::string& line : base::split(text, '\n')) {
    lines.push_back(base::wrapped(line, *columns, label));
  }
  return base::join(lines, "\n");
}

bool colors_stdout(const MessageOptions& options) {
  switch (options.color) {
    case ColorWhen::kAlways:
      return true;
    case ColorWhen::kNever:
      return false;
    case ColorWhen::kAuto:
      break;
  }
  return stdout_is_terminal();
}

std::string with_bold_labels(const std::string& text) {
  constexpr std::string_view kBold = "\x1b[1m";
  constexpr std::string_view kPlain = "\x1b[0m";
  std::string out;
  for (const std::string& line : base::split(text, '\n')) {
    if (!out.empty()) out += '\n';
    const size_t end = std::min(line.find(' '), line.size());
    if (end > 0) out.append(kBold).append(line, 0, end).append(kPlain);
    out.append(line, end);
  }
  return out;
}

}  // namespace llmroute::app
