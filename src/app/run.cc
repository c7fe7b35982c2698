#include "app/run.h"

#include <fmt/format.h>
#include <signal.h>

#include <optional>

#include "app/attempt.h"
#include "app/input.h"
#include "app/interrupt.h"
#include "app/local_models.h"
#include "app/messages.h"
#include "app/output.h"
#include "app/result.h"
#include "app/route.h"
#include "base/text.h"
#include "provider/preload.h"
#include "routing/router.h"

namespace llmroute::app {
namespace {

using base::Result;
using core::ExitStatus;

// What a complete reply amounts to: an answer that is empty, filtered, refused
// or cut by a limit that the user did not set is not a whole one.
base::Status judge_reply(const core::Reply& reply, const RunOptions& options,
                         const Messages& messages) {
  const auto incomplete = [](const char* why) {
    return base::Error{base::ErrorKind::kIncomplete, why};
  };
  switch (reply.finish) {
    case core::Finish::kLength:
      if (!options.request.max_tokens) {
        return incomplete("the answer was cut by a token limit");
      }
      messages.warn("the answer was cut at --max-tokens");
      return {};
    case core::Finish::kFilter:
      return incomplete("the provider's content filter stopped the answer");
    case core::Finish::kRefusal:
      return incomplete("the model refused");
    case core::Finish::kStop:
    case core::Finish::kToolCalls:
    case core::Finish::kOther:
      break;
  }
  if (base::trim(reply.text).empty()) return incomplete("the answer is empty");
  return {};
}

Result<ExitStatus> dry_run(const Routed& routed, const core::Prompt& sent) {
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
  return output.finish();
}

void remember_refusals(const Answered& answered,
                       const base::Environment& environment) {
  for (const Attempt& attempt : answered.attempts) {
    if (attempt.failure && attempt.failure->cause == "refused") {
      remember_refused(*attempt.candidate->provider, environment);
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
  if (options.output.dry_run) return dry_run(routed, prompt);
  if (options.limits.offline) {
    return base::Error{base::ErrorKind::kUnavailable,
                       "LLMROUTE_OFFLINE is set: nothing was sent"};
  }

  AnswerOutput output(options.output, holds_back(options.output));
  const InterruptGuard interrupt;
  const Answered answered =
      attempt_all(decision, prompt, routed.config->limits,
                  routed.config->limits.max_cost.has_value(), environment,
                  interrupt.cancel(), output, messages);
  remember_refusals(answered, environment);
  if (output.reader_gone()) die_by_signal(SIGPIPE);
  if (output.broken()) {
    LLMROUTE_CHECK(output.failure());
  }
  if (!answered.reply) {
    if (interrupt.interrupted()) interrupt.die();
    base::Error error = failed(answered, output.printed_bytes());
    if (options.output.format == Format::kJson) {
      LLMROUTE_CHECK(output.finish_with(result_json(routed, answered, &error)));
    }
    return error;
  }

  const base::Status judged = judge_reply(*answered.reply, options, messages);
  const base::Status delivered =
      deliver(options, routed, answered, judged, output);
  if (output.reader_gone()) die_by_signal(SIGPIPE);
  LLMROUTE_CHECK(delivered);
  if (answered.reply->repaired_utf8) {
    messages.warn("the answer held invalid UTF-8, shown as U+FFFD");
  }
  if (options.output.stats) messages.note(stats_line(answered));
  LLMROUTE_CHECK(judged);
  return ExitStatus::kOk;
}

}  // namespace llmroute::app
