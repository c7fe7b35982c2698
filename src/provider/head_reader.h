// Reads the lines of a response head. Interim blocks (1xx) are skipped, lines
// after the head (trailers) are ignored, anything that two parsers could read
// differently is refused: folded lines, NUL, bare CR, a line without a colon.
// Format: RFC 9112.
#pragma once

#include <string>
#include <string_view>

#include "provider/transport.h"

namespace llmroute::provider {

class HeadReader {
 public:
  enum class State { kReading, kComplete, kRefused };

  // One line with its line end. Complete is told once; trailers after it are
  // kReading.
  State line(std::string_view line);

  // REQUIRES: line() said kComplete.
  const ResponseHead& head() const { return head_; }
  // Why it was refused, for a person.
  const std::string& refusal() const { return refusal_; }

 private:
  State refuse(std::string_view why);
  State status_line(std::string_view line);
  State field(std::string_view line);

  ResponseHead head_;
  size_t bytes_ = 0;
  bool complete_ = false;
  std::string refusal_;
};

}  // namespace llmroute::provider
