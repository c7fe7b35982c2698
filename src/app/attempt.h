// Attempts: what each failure leads to. Retries on one candidate, then the
// next, while not one byte of the answer has been printed.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/messages.h"
#include "app/output.h"
#include "base/environment.h"
#include "base/result.h"
#include "core/config.h"
#include "core/decision.h"
#include "core/reply.h"
#include "provider/call.h"

namespace llmroute::app {

struct Attempt {
  const core::Candidate* candidate = nullptr;  // borrowed from the decision
  std::optional<core::Failure> failure;        // nothing: it answered
  bool retryable = false;
  std::chrono::milliseconds waited{0};  // before this attempt
  std::chrono::milliseconds took{0};
  std::chrono::milliseconds first_token{0};  // 0: no text came
};

struct Answered {
  std::optional<core::Reply> reply;
  const core::Candidate* by = nullptr;  // who answered, or who failed last
  std::vector<Attempt> attempts;
};

// The numbers of the retry rules. Backoff before retry n is uniform in [0,
// min(cap, base * 2^(n-1))] (full jitter).
struct RetryRules {
  int attempts_per_candidate = 3;
  int attempts_per_request = 6;
  std::chrono::milliseconds base_transient{500};
  std::chrono::milliseconds base_throttled{1000};
  std::chrono::milliseconds cap{8000};
  std::chrono::milliseconds longest_hint{60'000};
};

// Uniform random number in [0, 1).
using Random = std::function<double()>;

// Wait before retry number `retry` (from 1) after `failure`; nothing: do not
// retry this candidate.
std::optional<std::chrono::milliseconds> retry_wait(
    const RetryRules& rules, const core::Failure& failure, int retry,
    const Random& random);

// Whether the provider may charge for an attempt that failed like this: it was
// sent, and not answered by an error status.
bool may_have_cost(const core::Failure& failure);

// The token limit of a request; 0: none is sent. It is sent if someone wants
// one: the user, a ceiling, or a protocol that requires it.
int64_t cap_to_send(const core::Candidate& candidate,
                    const core::Prompt& prompt, bool has_ceiling);

// Calls the candidates in order until one answers. `prompt` is as it will be
// sent.
Answered attempt_all(const core::Decision& decision, const core::Prompt& prompt,
                     const core::Limits& limits, bool has_ceiling,
                     const base::Environment& environment,
                     const provider::Cancel& cancel, AnswerOutput& output,
                     const Messages& messages);

// The error that all attempts together amount to. REQUIRES: !answered.reply, at
// least one attempt.
base::Error failed(const Answered& answered, size_t printed_bytes);

}  // namespace llmroute::app
