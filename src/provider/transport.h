// HTTP behind a narrow interface, so that protocols are tested without a
// network. One exchange at a time; the body is handed over as it arrives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/reply.h"
#include "provider/call.h"

namespace llmroute::provider {

struct HttpRequest {
  std::string method = "POST";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  Timeouts timeouts;
  std::string ca_file;  // trusted instead of the system's; empty: the system's
  Cancel cancel;
};

// The final status line and headers; interim (1xx) blocks are never shown.
struct ResponseHead {
  int status = 0;
  std::vector<std::pair<std::string, std::string>>
      headers;  // names in lower case, values trimmed

  // The first header of that name. REQUIRES: `name` in lower case.
  std::optional<std::string_view> find(std::string_view name) const;
};

// Takes a response as it arrives. Time spent inside is not counted by the
// timers.
class Receiver {
 public:
  virtual ~Receiver() = default;
  // False: do not read the body.
  virtual bool on_head(const ResponseHead& head) = 0;
  // False: stop reading.
  virtual bool on_body(std::string_view bytes) = 0;
  // All that has arrived so far was handed over: the moment to pass it on.
  // False: stop reading.
  virtual bool on_pause() = 0;
  // Content has come: the first-content timer gives way to the idle timer.
  virtual bool has_content() const = 0;
  // The end marker has come: trouble after it is not reported, and the
  // connection is kept only if the response ends at once.
  virtual bool complete() const = 0;
};

// One thread.
class Transport {
 public:
  virtual ~Transport() = default;
  // Blocks until the response has ended or a Receiver has said stop: nothing;
  // else the failure. An HTTP status is never a failure here.
  virtual std::optional<core::Failure> send(const HttpRequest& request,
                                            Receiver& receiver) = 0;
};

// Sizes beyond which a response is refused.
inline constexpr size_t kMaxHeaderBytes = size_t{300} << 10;
inline constexpr size_t kMaxHeaderCount = 1000;
inline constexpr size_t kMaxBodyBytes = size_t{64} << 20;
inline constexpr size_t kMaxAnswerBytes = size_t{16} << 20;
inline constexpr size_t kMaxErrorBytesKept = size_t{64} << 10;
inline constexpr size_t kMaxErrorBytesRead = size_t{1} << 20;

}  // namespace llmroute::provider
