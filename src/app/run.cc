#include "app/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "app/attempt.h"
#include "app/events.h"
#include "app/explanation.h"
#include "app/handed_key.h"
#include "app/input.h"
#include "app/interrupt.h"
#include "app/ledger_book.h"
#include "app/ledger_place.h"
#include "app/local_models.h"
#include "app/messages.h"
#include "app/output.h"
#include "app/result.h"
#include "app/route.h"
#include "app/run_ending.h"
#include "app/transcript.h"
#include "base/clock.h"
#include "core/json_schema.h"
#include "provider/preload.h"
#include "routing/router.h"
#include "store/database.h"

namespace llmroute::app {
namespace {

using base::Result;
using core::ExitStatus;

// With --json what explain --json prints.
Result<ExitStatus> dry_run(const Routed& routed, const core::Prompt& sent,
                           Format format, const Messages& messages) {
  for (const std::string& note : routed.decision.notes) messages.warn(note);
  const std::string document =
      format == Format::kText
          ? dry_run_text(routed, sent)
          : explanation_json(explain_decision(routed, kJsonContributions));
  LLMROUTE_CHECK(print_text(document));
  return ExitStatus::kOk;
}

// Who could have done better, but keeps failing or asked to wait; and why
// nobody else was asked, if all answers are one model's.
void tell_left_alone(const core::Decision& decision, const Answered& answered,
                     const Messages& messages) {
  const core::Model& by = *answered.by->model;
  const bool ordered = decision.selection == core::Selection::kOrdered;
  for (const core::Exclusion& excluded : decision.excluded) {
    const bool stronger =
        ordered || excluded.model->general_ability() > by.general_ability();
    if (excluded.gate != core::Gate::kHeld || !stronger) continue;
    messages.warn(fmt::format("{} was not asked: {}", excluded.model->name,
                              excluded.reason));
  }
  const auto is_stronger = [&](const core::Candidate& other) {
    return other.model->general_ability() > by.general_ability();
  };
  if (ordered || decision.chain().size() < 2 || answered.attempts.size() > 1 ||
      std::ranges::any_of(decision.chain(), is_stronger)) {
    return;
  }
  messages.warn(fmt::format(
      "nobody else was asked: no candidate has an ability above that of {}",
      by.name));
}

void remember_refusals(const Answered& answered,
                       const base::Environment& environment) {
  std::set<const core::Provider*> told;
  for (const Attempt& attempt : answered.attempts) {
    const core::Provider* provider = attempt.candidate->provider;
    if (attempt.failure && attempt.failure->cause == "refused" &&
        told.insert(provider).second) {
      remember_refused(*provider, environment);
    }
  }
}

bool holds_back(const OutputOptions& output, const Check& check) {
  return output.no_stream || check || output.format == Format::kJson;
}

// Where a ceiling pays for none of the candidates, those that are held are
// asked after all: the first that it pays for, once. The decision is then one
// that nobody was held for.
Answered ask_candidates(const Question& question, const OutputOptions& options,
                        Routed& routed, AnswerOutput& output, LedgerBook& book,
                        const Messages& messages) {
  Answered answered = attempt_all(question, output, book, messages);
  const bool unpaid = answered.attempts.empty() && answered.held_back &&
                      answered.held_back->kind == base::ErrorKind::kBudget;
  if (!unpaid || !routed.decision.has_excluded(core::Gate::kHeld))
    return answered;
  auto held = std::exchange(routed.known->experience.held, {});
  auto again = routed.decider->decide(routed.prompt);
  if (!again) {
    routed.known->experience.held = std::move(held);
    return answered;
  }
  // Nobody was asked, so that nothing refers to the one before.
  const core::Model* before = routed.decision.candidates.front().model;
  routed.decision = std::move(*again);
  book.decided_again();
  if (routed.decision.candidates.front().model != before) {
    if (options.show_route) messages.note(route_line(routed.decision));
    if (output.events()) output.event(route_event(routed.decision));
  }
  return attempt_all(question, output, book, messages);
}

// Asks, prints and keeps account. A death by a signal is the caller's, when
// nothing is left that would have to be removed.
Result<Ending> ask(const RunOptions& options, Routed& routed,
                   const core::Prompt& prompt,
                   const base::Environment& environment,
                   const Messages& messages) {
  const std::string id = base::make_ulid(base::wall_now());
  messages.detail("this decision is " + id);
  LLMROUTE_TRY(LedgerBook book,
               LedgerBook::open(id, options, routed, environment, messages));
  std::optional<Transcript> transcript;
  if (options.output.transcript) {
    LLMROUTE_TRY(Transcript opened,
                 Transcript::open(*options.output.transcript));
    transcript.emplace(std::move(opened));
  }
  const InterruptGuard interrupt;
  const core::Limits& limits = routed.config->limits;
  const std::string& form = prompt.parameters.schema;
  std::optional<core::JsonSchema> schema;
  if (!form.empty()) {
    LLMROUTE_TRY(core::JsonSchema parsed, core::JsonSchema::parse(form));
    schema.emplace(std::move(parsed));
  }
  const Check check = answer_check(options, schema, limits, interrupt.cancel());
  LLMROUTE_TRY(
      AnswerOutput output,
      AnswerOutput::open(options.output, holds_back(options.output, check),
                         interrupt.cancel().flag));
  if (output.events()) output.event(route_event(routed.decision));
  const Answered answered = ask_candidates(
      {routed.decision, prompt, limits, limits.ceiling.has_value(), environment,
       interrupt.cancel(), check},
      options.output, routed, output, book, messages);
  remember_refusals(answered, environment);
  if (answered.rejected) {
    tell_left_alone(routed.decision, answered, messages);
  }
  Ending ending =
      conclude(options, id, routed, answered, interrupt, output, messages);
  const base::Status recorded =
      book.finish(answered, ending.code(), output.printed_bytes());
  if (transcript) {
    add_failure(transcript->add(id, routed, answered, ending.code()), messages,
                ending);
  }
  add_failure(recorded, messages, ending);
  return ending;
}

Result<ExitStatus> run_prompt(const RunOptions& options,
                              const base::Environment& environment) {
  const Messages messages(options.messages);
  const bool contacts_nothing =
      options.output.dry_run || options.limits.offline;
  const Asker asker = contacts_nothing ? Asker::kExplain : Asker::kRun;
  std::optional<provider::Preload> preload;
  if (!contacts_nothing) {
    const bool ledger = ledger_place(options.ledger, environment).has_value();
    preload.emplace(
        [ledger] {
          if (ledger) (void)store::load_sqlite();
        },
        options.config.tls_keylog);
  }
  LLMROUTE_TRY(Routed routed,
               route_prompt({options.config, options.input, options.routing,
                             options.request, options.limits, asker, false,
                             &options.ledger},
                            environment, messages));
  const core::Decision& decision = routed.decision;
  if (decision.candidates.empty()) return no_candidate(routed);
  if (options.output.show_route) messages.note(route_line(decision));

  const core::Prompt prompt =
      apply_template(routed.prompt, decision.prompt_template);
  if (options.output.dry_run) {
    return dry_run(routed, prompt, options.output.format, messages);
  }
  if (options.limits.offline) {
    return base::Error{base::ErrorKind::kUnavailable,
                       "LLMROUTE_OFFLINE is set: nothing was sent"};
  }
  LLMROUTE_TRY(Ending ending,
               ask(options, routed, prompt, environment, messages));
  if (ending.signal != 0) die_by_signal(ending.signal);
  return std::move(ending.status);
}

}  // namespace

Result<ExitStatus> run(const RunOptions& options,
                       const base::Environment& environment) {
  if (!options.config.key_fd) return run_prompt(options, environment);
  LLMROUTE_TRY(const HandedKey with_key,
               HandedKey::take(*options.config.key_fd, environment));
  return run_prompt(options, with_key);
}

}  // namespace llmroute::app
