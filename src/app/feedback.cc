#include "app/feedback.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>

#include "app/ledger_place.h"
#include "app/ledger_spill.h"
#include "app/messages.h"
#include "base/clock.h"
#include "base/date.h"

namespace llmroute::app {
namespace {

using base::Result;
using core::ExitStatus;

std::string verdict_text(double score) {
  if (score == 0) return "bad";
  return score == 1 ? "good" : fmt::format("{}", score);
}

// Which answer "last" or the beginning of an id meant.
void tell(const std::string& id, const store::AnswerOf& answer,
          const FeedbackOptions& options) {
  const MessageOptions& how = options.messages;
  const bool watched = ::isatty(STDERR_FILENO) == 1 && !how.quiet;
  if (!watched && how.verbose == 0) return;
  Messages(how).note(fmt::format("{} ({}, {}): {}", id, answer.model,
                                 base::format_utc(base::moment_of(answer.time)),
                                 verdict_text(options.score)));
}

}  // namespace

Result<ExitStatus> feedback(const FeedbackOptions& options,
                            const base::Environment& environment) {
  LLMROUTE_TRY(store::Ledger ledger,
               existing_ledger(options.ledger, environment,
                               {.busy_timeout = std::chrono::seconds(30)}));
  // The newest answer may be waiting in the spill file.
  LLMROUTE_CHECK(import_spilled(ledger, Messages(options.messages)));
  LLMROUTE_TRY(
      const std::string id,
      ledger.find_decision(options.decision, store::Ledger::Last::kAnswer));
  LLMROUTE_CHECK(ledger.put_feedback(id, options.score, base::wall_ms()));
  if (const auto answer = ledger.answer_of(id)) tell(id, *answer, options);
  return ExitStatus::kOk;
}

}  // namespace llmroute::app
