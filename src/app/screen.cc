#include "app/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/table.h"
#include "base/text.h"

namespace llmroute::app {

std::optional<size_t> screen_columns() {
  winsize size{};
  const bool known = ::isatty(STDOUT_FILENO) == 1 &&
                     ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
                     size.ws_col > 0;
  return known ? std::optional<size_t>(size.ws_col) : std::nullopt;
}

std::string fitted_to_screen(const std::string& text, size_t label) {
  const auto columns = screen_columns();
  if (!columns) return text;
  std::vector<std::string> lines;
  for (const std::string& line : base::split(text, '\n')) {
    lines.push_back(base::wrapped(line, *columns, label));
  }
  return base::join(lines, "\n");
}

}  // namespace llmroute::app
