#include "app/color.h"

#include <algorithm>

#include "app/output.h"
#include "base/text.h"

namespace llmroute::app {

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
