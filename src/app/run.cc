#include "app/run.h"

#include <fmt/format.h>
#include <signal.h>

#include <optional>
#include <set>

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
#include "app/transcript.h"
#include "app/whole_answer.h"
#include "base/clock.h"
#include "base/terminal_text.h"
#include "core/json_schema.h"
#include "core/tool_list.h"
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

// Writes what is owed to stdout or -o.
base::Status deliver(const RunOptions& options, const std::string& id,
                     const Routed& routed, const Answered& answered,
                     const base::Status& judged, AnswerOutput& output) {
  const base::Error* error = judged.has_value() ? nullptr : &judged.error();
  if (options.output.format == Format::kJson) {
    Answered shown = answered;
    if (options.output.extract) shown.reply->text = output.extracted();
    return output.finish_with(result_json(id, routed, shown, error));
  }
  for (const core::ToolCall& call : answered.reply->tool_calls) {
    if (output.events()) {
      output.event(tool_call_event(call));
    } else {
      output.add_line(core::tool_call_json(call));
    }
  }
  if (output.events()) {
    output.event(done_event(id, routed, answered, error));
  }
  // What is not a whole answer never takes the place of an old file.
  if (!judged.has_value() && output.to_file()) return {};
  return output.finish();
}

void comment_on(const Answered& answered, const base::Status& judged,
                const RunOptions& options, const Messages& messages) {
  if (answered.reply->repaired_utf8) {
    messages.warn("the answer held invalid UTF-8, shown as U+FFFD");
  }
  if (judged.has_value() && answered.reply->finish == core::Finish::kLength) {
    messages.warn("the answer was cut at --max-tokens");
  }
  if (options.output.stats) messages.note(stats_line(answered));
}

// Who could have done better, but keeps failing or asked to wait.
void tell_left_alone(const core::Decision& decision, const core::Model& by,
                     const Messages& messages) {
  for (const core::Exclusion& excluded : decision.excluded) {
    const bool stronger =
        excluded.model->general_ability() > by.general_ability();
    if (excluded.gate != core::Gate::kHeld || !stronger) continue;
    messages.warn(fmt::format("{} was not asked: {}", excluded.model->name,
                              excluded.reason));
  }
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

// How a run ends: by a status or an error, or by a signal.
struct Ending {
  Result<ExitStatus> status = ExitStatus::kOk;
  int signal = 0;

  int code() const {
    if (signal != 0) return 128 + signal;
    return static_cast<int>(status ? *status
                                   : core::exit_status(status.error().kind));
  }
};

// Of what is kept beside the answer: the run's, if it has none of its own.
void add_failure(const base::Status& kept, const Messages& messages,
                 Ending& ending) {
  if (kept) return;
  if (ending.code() == 0) {
    ending.status = kept.error();
  } else {
    messages.warn(kept.error().message);
  }
}

Result<ExitStatus> no_answer(const RunOptions& options, const std::string& id,
                             const Routed& routed, const Answered& answered,
                             AnswerOutput& output) {
  output.end_line();
  if (answered.attempts.empty()) return *answered.held_back;
  base::Error error = failed(answered, output.printed_bytes());
  if (answered.held_back) {
    error = {answered.held_back->kind,
             error.message + "; " + answered.held_back->message};
  }
  error.facts = error_facts(answered, output.printed_bytes());
  if (options.output.format == Format::kJson) {
    LLMROUTE_CHECK(
        output.finish_with(result_json(id, routed, answered, &error)));
  }
  if (output.events()) {
    output.event(error_event(error));
    if (!output.to_file()) LLMROUTE_CHECK(output.failure());
  }
  return error;
}

// Whether what came is what was asked for.
base::Status judge(const RunOptions& options, const Answered& answered,
                   const AnswerOutput& output, const Messages& messages) {
  base::Status judged =
      whole_answer(*answered.reply, *answered.by, options.request.max_tokens,
                   options.output.fail_on);
  if (judged && answered.rejected) judged = *answered.rejected;
  const bool called = !answered.reply->tool_calls.empty();
  if (judged && output.nothing_extracted() && !called) {
    // Paid for and not what was asked for, but not lost either.
    messages.line(base::visible_text(answered.reply->text));
    judged = base::Error{base::ErrorKind::kIncomplete,
                         "the answer has no fenced block"};
  }
  if (judged) return {};
  base::Error error = std::move(judged).error();
  error.facts = error_facts(answered, output.printed_bytes());
  return error;
}

// Prints what is owed, and says what came of it.
Ending conclude(const RunOptions& options, const std::string& id,
                const Routed& routed, const Answered& answered,
                const InterruptGuard& interrupt, AnswerOutput& output,
                const Messages& messages) {
  if (output.reader_gone()) return {.signal = SIGPIPE};
  const bool whole = answered.reply && !answered.rejected && !output.broken();
  if (interrupt.interrupted() && !whole) {
    return {.signal = interrupt.signal()};
  }
  if (output.broken()) return {.status = output.failure().error()};
  if (!answered.reply) {
    return {.status = no_answer(options, id, routed, answered, output)};
  }
  const base::Status judged = judge(options, answered, output, messages);
  const base::Status delivered =
      deliver(options, id, routed, answered, judged, output);
  if (output.reader_gone()) return {.signal = SIGPIPE};
  if (!delivered) return {.status = delivered.error()};
  comment_on(answered, judged, options, messages);
  if (!judged) return {.status = judged.error()};
  return {};
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
  const std::string id = base::make_ulid(base::SystemClock().wall());
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
    tell_left_alone(routed.decision, *answered.by->model, messages);
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
