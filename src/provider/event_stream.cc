#include "provider/event_stream.h"

#include <algorithm>

namespace llmroute::provider {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";
constexpr size_t kBomDone = 3;

size_t line_end(std::string_view bytes) {
  const size_t lf = bytes.find('\n');
  const size_t cr = bytes.substr(0, lf).find('\r');
  return std::min(lf, cr);
}

}  // namespace

// Bytes of the BOM at the front of `bytes`, which may come in pieces; a
// beginning that turns out not to be one is text.
size_t EventStream::skip_bom(std::string_view bytes) {
  size_t at = 0;
  while (bom_seen_ < kBomDone && at < bytes.size()) {
    if (bytes[at] != kBom[bom_seen_]) {
      line_.assign(kBom.substr(0, bom_seen_));
      bom_seen_ = kBomDone;
      return at;
    }
    ++bom_seen_;
    ++at;
  }
  return at;
}

Fed EventStream::feed(std::string_view bytes, const Handler& handler) {
  if (stopped_) return Fed::kStopped;
  bytes.remove_prefix(skip_bom(bytes));
  if (after_cr_ && !bytes.empty()) {
    after_cr_ = false;
    if (bytes.front() == '\n') bytes.remove_prefix(1);
  }
  while (!bytes.empty()) {
    const size_t end = line_end(bytes);
    const std::string_view part = bytes.substr(0, end);
    if (pending() + part.size() > kMaxEventBytes) return Fed::kTooLarge;
    if (end == std::string_view::npos) {
      line_ += part;
      return Fed::kMore;
    }
    const bool cr = bytes[end] == '\r';
    after_cr_ = cr && end + 1 == bytes.size();
    const bool crlf = cr && !after_cr_ && bytes[end + 1] == '\n';
    bytes.remove_prefix(end + (crlf ? 2 : 1));
    if (!end_line(part, handler)) {
      stopped_ = true;
      return Fed::kStopped;
    }
  }
  return Fed::kMore;
}

bool EventStream::end_line(std::string_view line, const Handler& handler) {
  if (line_.empty()) {
    if (line.empty()) return dispatch(handler, false);
    field(line);
    return true;
  }
  line_ += line;
  field(line_);
  line_.clear();
  return true;
}

void EventStream::field(std::string_view line) {
  if (line.front() == ':') return;
  const size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  std::string_view value =
      colon == std::string_view::npos ? "" : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "data") {
    if (has_data_) data_ += '\n';
    has_data_ = true;
    data_ += value;
  } else if (name == "event") {
    name_ = value;
  } else if (name == "error") {
    error_ = value;
  }
}

bool EventStream::dispatch(const Handler& handler, bool unterminated) {
  bool go_on = true;
  if (has_data_ || !error_.empty()) {
    go_on = handler({name_, data_, error_, unterminated});
  }
  name_.clear();
  data_.clear();
  error_.clear();
  has_data_ = false;
  return go_on;
}

Fed EventStream::finish(const Handler& handler) {
  if (stopped_) return Fed::kStopped;
  if (!line_.empty()) {
    field(line_);
    line_.clear();
  }
  stopped_ = !dispatch(handler, true);
  return stopped_ ? Fed::kStopped : Fed::kMore;
}

}  // namespace llmroute::provider
