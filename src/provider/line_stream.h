// Decoder of newline-delimited JSON: one text a line, CR before LF dropped,
// blank lines skipped. Results do not depend on how the bytes are cut.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "provider/event_stream.h"

namespace llmroute::provider {

class LineStream {
 public:
  // `unterminated`: the stream ended before the line did. False: stop.
  using Handler = std::function<bool(std::string_view line, bool unterminated)>;

  Fed feed(std::string_view bytes, const Handler& handler);
  Fed finish(const Handler& handler);

 private:
  bool hand_over(std::string_view line, bool unterminated,
                 const Handler& handler);

  std::string line_;
  bool stopped_ = false;
};

}  // namespace llmroute::provider
