#include "app/run_ending.h"

#include <signal.h>

#include <utility>

#include "app/attempt_error.h"
#include "app/events.h"
#include "app/result.h"
#include "app/whole_answer.h"
#include "base/terminal_text.h"
#include "core/tool_list.h"

namespace llmroute::app {
namespace {

using base::Result;
using core::ExitStatus;

// Writes what is owed to stdout or -o.
base::Status deliver(const RunOptions& options, const std::string& id,
                     const Routed& routed, const Answered& answered,
                     const base::Status& judged, AnswerOutput& output) {
  const base::Error* error = judged.has_value() ? nullptr : &judged.error();
  // What is not a whole answer never takes the place of an old file.
  const bool keep_old = !judged.has_value() && output.replaces();
  if (options.output.format == Format::kJson) {
    if (keep_old) return {};
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
  return keep_old ? base::Status() : output.finish();
}

void comment_on(const std::string& id, const Answered& answered,
                const base::Status& judged, const RunOptions& options,
                const Messages& messages) {
  if (answered.reply->repaired_utf8) {
    messages.warn("the answer held invalid UTF-8, shown as U+FFFD");
  }
  if (judged.has_value() && answered.reply->finish == core::Finish::kLength) {
    messages.warn("the answer was cut at --max-tokens");
  }
  if (options.output.stats) messages.note(stats_line(id, answered));
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
  if (options.output.format == Format::kJson && !output.replaces()) {
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
    std::string text = base::visible_text(answered.reply->text);
    if (text.ends_with('\n')) text.pop_back();
    messages.line(text);
    judged = base::Error{base::ErrorKind::kIncomplete,
                         "the answer has no fenced block"};
  }
  return judged;
}

}  // namespace

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
  if (output.broken() && interrupt.interrupted()) {
    return {.signal = interrupt.signal()};  // during the last write
  }
  if (!delivered) return {.status = delivered.error()};
  comment_on(id, answered, judged, options, messages);
  if (judged) return {};
  base::Error error = judged.error();
  error.facts = error_facts(answered, output.printed_bytes());
  return {.status = std::move(error)};
}

void add_failure(const base::Status& kept, const Messages& messages,
                 Ending& ending) {
  if (kept) return;
  if (ending.code() == 0) {
    ending.status = kept.error();
  } else {
    messages.warn(kept.error().message);
  }
}

}  // namespace llmroute::app
