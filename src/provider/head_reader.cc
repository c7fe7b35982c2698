#include "provider/head_reader.h"

#include "base/text.h"

namespace llmroute::provider {
namespace {

std::string_view without_line_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool has_stray_control(std::string_view line) {
  return line.find('\0') != std::string_view::npos ||
         line.find('\r') != std::string_view::npos;
}

}  // namespace

HeadReader::State HeadReader::refuse(std::string_view why) {
  refusal_ = why;
  return State::kRefused;
}

HeadReader::State HeadReader::line(std::string_view whole) {
  bytes_ += whole.size();
  if (bytes_ > kMaxHeaderBytes) return refuse("response headers over 300 KiB");
  if (complete_) return State::kReading;
  const std::string_view line = without_line_end(whole);
  if (has_stray_control(line)) return refuse("NUL or CR in a response header");
  if (line.starts_with("HTTP/")) return status_line(line);
  if (!line.empty()) return field(line);
  if (head_.status / 100 == 1) return State::kReading;
  complete_ = true;
  return State::kComplete;
}

HeadReader::State HeadReader::status_line(std::string_view line) {
  head_ = {};
  const size_t space = line.find(' ');
  const auto status = space == std::string_view::npos
                          ? std::nullopt
                          : base::parse_int(line.substr(space + 1, 3));
  if (!status || *status < 100 || *status > 599 || *status == 101) {
    return refuse("unusable status line");
  }
  head_.status = static_cast<int>(*status);
  return State::kReading;
}

HeadReader::State HeadReader::field(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') {
    return refuse("folded response header");
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) {
    return refuse("response header without a name");
  }
  if (head_.headers.size() == kMaxHeaderCount) {
    return refuse("over 1,000 response headers");
  }
  head_.headers.emplace_back(base::to_lower_ascii(line.substr(0, colon)),
                             std::string(base::trim(line.substr(colon + 1))));
  return State::kReading;
}

}  // namespace llmroute::provider
