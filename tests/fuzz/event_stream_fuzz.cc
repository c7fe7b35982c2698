// The event decoder: no crash, and the same events however the bytes are cut.
// The first byte is where the second reading cuts.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "provider/event_stream.h"

namespace {

using llmroute::provider::EventStream;
using llmroute::provider::StreamEvent;

std::string events_of(std::string_view first, std::string_view second) {
  std::string events;
  const auto keep = [&events](const StreamEvent& event) {
    for (const auto text : {event.name, event.data, event.error}) {
      events += text;
      events += '\x1F';
    }
    events += event.unterminated ? "!\x1E" : "\x1E";
    return true;
  };
  EventStream stream;
  (void)stream.feed(first, keep);
  (void)stream.feed(second, keep);
  (void)stream.finish(keep);
  return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1),
                              size - 1);
  const size_t cut = text.empty() ? 0 : data[0] % text.size();
  if (events_of(text, "") != events_of(text.substr(0, cut), text.substr(cut))) {
    std::abort();
  }
  return 0;
}
