// Decoder of server-sent events, by the WHATWG rules (HTML standard, section
// 9.2.6): CR, LF and CRLF end lines, one leading BOM is dropped, comments and
// unknown fields are ignored, data lines are joined by LF. The field `error` is
// passed on, since an old llama.cpp server reports failures in it. Results do
// not depend on how the bytes are cut into chunks.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace llmroute::provider {

// Views live during the handler's call.
struct StreamEvent {
  std::string_view name;  // of `event:`
  std::string_view data;
  std::string_view error;     // of `error:`
  bool unterminated = false;  // the stream ended before its empty line
};

// Sizes beyond which a stream is refused.
inline constexpr size_t kMaxEventBytes = size_t{8} << 20;

enum class Fed { kMore, kStopped, kTooLarge };

class EventStream {
 public:
  // False: stop; what follows is ignored.
  using Handler = std::function<bool(const StreamEvent& event)>;

  Fed feed(std::string_view bytes, const Handler& handler);
  // The stream has ended: an event without its empty line is handed over,
  // marked as such.
  Fed finish(const Handler& handler);

 private:
  bool end_line(std::string_view line, const Handler& handler);
  void field(std::string_view line);
  bool dispatch(const Handler& handler, bool unterminated);
  size_t skip_bom(std::string_view bytes);
  size_t pending() const {
    return line_.size() + name_.size() + data_.size() + error_.size();
  }

  std::string line_;  // of which the end has not come
  std::string name_, data_, error_;
  bool has_data_ = false;
  size_t bom_seen_ = 0;    // bytes of it; 3: past it
  bool after_cr_ = false;  // an LF now belongs to the CR before
  bool stopped_ = false;
};

}  // namespace llmroute::provider
