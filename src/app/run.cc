#include "app/run.h"

#include <fmt/format.h>
#include <signal.h>

#include <optional>
#include <set>

#include "app/attempt.h"
#include "app/input.h"
#include "app/interrupt.h"
#include "app/local_models.h"
#include "app/messages.h"
#include "app/output.h"
#include "app/result.h"
#include "app/route.h"
#include "app/whole_answer.h"
#include "provider/preload.h"
#include "routing/router.h"

namespace llmroute::app {
namespace {

using base::Result;
using core::ExitStatus;

Result<ExitStatus> dry_run(const Routed& routed, const core::Prompt& sent,
                           const Messages& messages) {
  for (const std::string& note : routed.decision.notes) messages.warn(note);
  LLMROUTE_CHECK(print_document(dry_run_text(routed, sent)));
  return ExitStatus::kOk;
}

// Writes what is owed to stdout or -o.
base::Status deliver(const RunOptions& options, const Routed& routed,
                     const Answered& answered, const base::Status& judged,
                     AnswerOutput& output) {
  if (options.output.format == Format::kJson) {
    const base::Error* error = judged.has_value() ? nullptr : &judged.error();
    return output.finish_with(result_json(routed, answered, error));
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

bool holds_back(const OutputOptions& output) {
  return output.no_stream || output.format == Format::kJson;
}

}  // namespace

Result<ExitStatus> run(const RunOptions& options,
                       const base::Environment& environment) {
  const Messages messages(options.messages);
  const bool contacts_nothing =
      options.output.dry_run || options.limits.offline;
  const Asker asker = contacts_nothing ? Asker::kExplain : Asker::kRun;
  std::optional<provider::Preload> preload;
  if (!contacts_nothing) preload.emplace();
  LLMROUTE_TRY(const Routed routed,
               route_prompt({options.config, options.input, options.routing,
                             options.request, options.limits, asker},
                            environment, messages));
  const core::Decision& decision = routed.decision;
  if (decision.candidates.empty()) return routing::no_candidate(decision);
  if (options.output.show_route) messages.note(route_line(decision));

  const core::Prompt prompt =
      apply_template(routed.prompt, decision.prompt_template);
  if (options.output.dry_run) return dry_run(routed, prompt, messages);
  if (options.limits.offline) {
    return base::Error{base::ErrorKind::kUnavailable,
                       "LLMROUTE_OFFLINE is set: nothing was sent"};
  }

  const InterruptGuard interrupt;
  LLMROUTE_TRY(AnswerOutput output,
               AnswerOutput::open(options.output, holds_back(options.output),
                                  interrupt.cancel().flag));
  const Answered answered =
      attempt_all(decision, prompt, routed.config->limits,
                  routed.config->limits.max_cost.has_value(), environment,
                  interrupt.cancel(), output, messages);
  remember_refusals(answered, environment);
  if (output.reader_gone()) die_by_signal(SIGPIPE);
  if (interrupt.interrupted() && (!answered.reply || output.broken())) {
    interrupt.die();
  }
  if (output.broken()) {
    LLMROUTE_CHECK(output.failure());
  }
  if (!answered.reply) {
    output.end_line();
    base::Error error = failed(answered, output.printed_bytes());
    if (options.output.format == Format::kJson) {
      LLMROUTE_CHECK(output.finish_with(result_json(routed, answered, &error)));
    }
    return error;
  }

  const base::Status judged =
      whole_answer(*answered.reply, *answered.by, options.request.max_tokens);
  const base::Status delivered =
      deliver(options, routed, answered, judged, output);
  if (output.reader_gone()) die_by_signal(SIGPIPE);
  LLMROUTE_CHECK(delivered);
  comment_on(answered, judged, options, messages);
  LLMROUTE_CHECK(judged);
  return ExitStatus::kOk;
}

}  // namespace llmroute::app
