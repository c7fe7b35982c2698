#include "provider/line_stream.h"

#include "base/text.h"

namespace llmroute::provider {

Fed LineStream::feed(std::string_view bytes, const Handler& handler) {
  while (!stopped_ && !bytes.empty()) {
    const size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    if (line_.size() + part.size() > kMaxEventBytes) return Fed::kTooLarge;
    if (end == std::string_view::npos) {
      line_ += part;
      return Fed::kMore;
    }
    bytes.remove_prefix(end + 1);
    if (line_.empty()) {
      stopped_ = !hand_over(part, false, handler);
    } else {
      line_ += part;
      stopped_ = !hand_over(line_, false, handler);
      line_.clear();
    }
  }
  return stopped_ ? Fed::kStopped : Fed::kMore;
}

Fed LineStream::finish(const Handler& handler) {
  if (!stopped_) stopped_ = !hand_over(line_, true, handler);
  line_.clear();
  return stopped_ ? Fed::kStopped : Fed::kMore;
}

bool LineStream::hand_over(std::string_view line, bool unterminated,
                           const Handler& handler) {
  line = base::trim(line);
  return line.empty() || handler(line, unterminated);
}

}  // namespace llmroute::provider
