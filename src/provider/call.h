// One call of one model over one provider's protocol.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "core/model.h"
#include "core/prompt.h"
#include "core/reply.h"

namespace llmroute::provider {

struct Timeouts {
  std::chrono::milliseconds connect{10'000};  // DNS + TCP + TLS
  std::chrono::milliseconds first_token{
      300'000};  // until the first content; comments and pings do not count
  std::chrono::milliseconds idle{
      60'000};  // silence in a stream; any byte counts
  std::chrono::milliseconds total{600'000};
};

// Cancels a call from a signal handler or another thread. wake_fd becomes
// readable when cancelled.
struct Cancel {
  const std::atomic<bool>* flag = nullptr;  // borrowed; null: never cancelled
  int wake_fd = -1;                         // borrowed; -1: none
  bool requested() const {
    return flag != nullptr && flag->load(std::memory_order_relaxed);
  }
};

struct Call {
  const core::Provider& provider;
  const core::Model& model;
  const core::Prompt& prompt;  // after templates
  std::string key;             // empty: none is sent
  int64_t output_cap = 0;      // sent as the token limit; 0: none is sent
  bool stream = true;
  Timeouts timeouts;
  Cancel cancel;
};

// Takes answer text as it arrives, one call per event that carried text; valid
// UTF-8. Empty, once: something of a stream has come before its text, such as
// reasoning. False: stop, cancel the request.
using TextSink = std::function<bool(std::string_view text)>;

using CallResult = std::variant<core::Reply, core::Failure>;

// Blocks until the answer is complete, has failed or was cancelled. Thread-safe
// for different calls.
CallResult call(const Call& call, const TextSink& on_text);
// The same for a thread that ends with it: no exception gets out. Without
// memory it has failed.
CallResult call_on_thread(const Call& call, const TextSink& on_text);

// Its first line: "POST https://host/path"; for exec the program.
std::string request_line(const Call& call);

// The request as it would be sent, for --dry-run; the key is shown as "...".
// For exec: the argv.
std::string describe_request(const Call& call);

}  // namespace llmroute::provider
