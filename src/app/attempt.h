// Attempts: what each failure leads to. Retries on one candidate, then the
// next, while not one byte of the answer has been printed.
#pragma once

#include "app/answer_check.h"
#include "app/attempt_plan.h"
#include "app/messages.h"
#include "app/output.h"
#include "base/environment.h"
#include "base/result.h"
#include "core/config.h"
#include "core/decision.h"
#include "core/reply.h"
#include "provider/call.h"

namespace llmroute::app {

// Whoever keeps account of attempts.
class AttemptBook {
 public:
  virtual ~AttemptBook() = default;
  // Whether a candidate may be asked now, for all that is known of its health;
  // asked before each attempt. `again`: a retry, which this request's own
  // failures do not forbid.
  virtual bool allows(const core::Candidate& candidate, bool again) = 0;
  // How much is left of the wait that it asked an earlier request for.
  virtual std::chrono::milliseconds wait_left(
      const core::Candidate& candidate) = 0;
  // How long it may be silent before another is asked beside it; nothing: as
  // long as it likes.
  virtual std::optional<std::chrono::milliseconds> patience(
      const core::Candidate& candidate) = 0;
  // Puts the worst case aside. kBudget: not for this candidate; any other error
  // ends the request, or only what was to be asked beside another. Either way
  // it is not sent.
  virtual base::Status before(const Attempt& asked) = 0;
  // `reply`: the answer, or null.
  virtual void after(const Attempt& attempt, const core::Reply* reply) = 0;
};

// A provider whose key cannot be had, as a failed attempt.
core::Failure no_key(const base::Error& error);

// From here on neither the key nor a secret header of the provider is shown.
void redact_secrets(const core::Provider& provider, const std::string& key);

// Takes keys out of what a provider names, which is shown and recorded; the
// answer's text is nobody's to change.
void redact_names(provider::CallResult& result);

// The token limit of a request; 0: none is sent. It is sent if someone wants
// one: the user, a ceiling, or a protocol that requires it.
int64_t cap_to_send(const core::Candidate& candidate,
                    const core::Prompt& prompt, bool has_ceiling);

struct Question {  // borrows everything
  const core::Decision& decision;
  const core::Prompt& prompt;  // as it will be sent
  const core::Limits& limits;
  bool has_ceiling;
  const base::Environment& environment;
  provider::Cancel cancel;
  const Check& check;
};

// Calls the candidates in order until one answers. If none of them may be
// asked, the first is, once. After an answer that will not do the next stronger
// candidate is asked, or the next in the user's order; if there is none, or it
// fails, the last answer stands, rejected. REQUIRES with a check: the output is
// held back.
Answered attempt_all(const Question& question, AnswerOutput& output,
                     AttemptBook& book, const Messages& messages);

}  // namespace llmroute::app
