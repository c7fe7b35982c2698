// What came back from a provider: an answer, or why there is none.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/model.h"
#include "core/tool_call.h"

namespace llmroute::core {

// Normalised token counts: input includes cached and cache-written tokens,
// output includes reasoning. Unset: the provider did not say.
struct Usage {
  std::optional<int64_t> input, output;
  int64_t cached_input = 0;
  int64_t cache_write = 0;
  int64_t reasoning = 0;
  std::optional<Money> charged;  // what the provider says that it cost
  // The counts contradict each other; they are the dearest way to read them.
  bool contradictory = false;

  bool complete() const { return input.has_value() && output.has_value(); }
};

// Cost of a call from its usage, or what the provider charged where it says so:
// nothing if a needed price or count is unknown (unknown is never 0).
std::optional<Money> cost_of(const Model& model, const Usage& usage);

enum class Finish { kStop, kLength, kFilter, kRefusal, kToolCalls, kOther };
std::string_view finish_name(
    Finish finish);  // "stop", "length", "filter", "refusal", "tool_calls",
                     // "other"

// What a provider says is left of its limits. Unset: not said.
struct RateLimit {
  std::optional<int64_t> requests, tokens;  // the least of several limits
  // Until what is used up comes back; 0: nothing is, or nobody knows.
  std::chrono::milliseconds wait{0};
};

// A complete answer: the protocol's own end marker was seen.
struct Reply {
  std::string text;                  // everything that was streamed
  std::vector<ToolCall> tool_calls;  // in order
  Finish finish = Finish::kStop;
  Usage usage;
  std::string served_model;  // as the provider names it; empty: not said
  std::string request_id;
  int http_status = 0;  // 0: not over HTTP
  bool repaired_utf8 = false;
  RateLimit rate_limit;

  // Of the text and the calls.
  size_t bytes() const;
};

// What a failure means for retry, fallback and exit status; one switch over it
// each.
enum class FailureClass {
  kTransient,   // connect, DNS, reset, time-out, 408 409 425 500 502 503 504
                // 529, cut stream
  kThrottled,   // 429 and 402 with a hint
  kNoMoney,     // 402 without a hint, insufficient_quota
  kNotAllowed,  // 401, 403, certificate not trusted
  kTooLong,     // 413, context-length error
  kGone,        // 404 or 410 for the model, 501, 505, exec command missing
  kOurFault,    // other 4xx
  kProtocol,    // the reply made no sense; a redirect
  kCancelled,   // by us: signal, or the text sink said stop
  kLocal,       // our own descriptors, memory, disk
};
std::string_view failure_class_name(FailureClass failure);

struct Failure {
  FailureClass kind = FailureClass::kTransient;
  std::string cause;    // short and stable: "refused", "first-token time-out",
                        // "cut stream", "http 503"
  std::string message;  // the provider's words or ours, for a person; not
                        // filtered, not redacted
  int http_status = 0;  // 0: none
  std::optional<std::chrono::milliseconds> retry_after;  // the provider's hint
  std::optional<bool> should_retry;                      // x-should-retry
  std::string request_id;
  bool sent = false;  // the request may have reached the provider, so may cost
  bool timed_out = false;
  size_t bytes_streamed = 0;  // answer bytes handed to the sink before it broke
};

}  // namespace llmroute::core
