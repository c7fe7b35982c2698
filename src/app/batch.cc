#include "app/batch.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "app/batch_compare.h"
#include "app/batch_estimate.h"
#include "app/batch_files.h"
#include "app/batch_journal.h"
#include "app/batch_ledger.h"
#include "app/batch_output.h"
#include "app/batch_record.h"
#include "app/batch_run.h"
#include "app/batch_setup.h"
#include "app/batch_split.h"
#include "app/batch_summary.h"
#include "app/interrupt.h"
#include "app/messages.h"
#include "app/route.h"
#include "base/files.h"
#include "base/text.h"
#include "provider/preload.h"

namespace llmroute::app {
namespace {

using base::Result;
using base::Status;
using core::ExitStatus;

// Descriptors a transfer may need, and those for everything else.
constexpr rlim_t kPerJob = 2;
constexpr rlim_t kOthers = 24;

// Never more at a time than there are descriptors for.
int jobs_within_limits(int jobs, const Messages& messages) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return jobs;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur == RLIM_INFINITY) return jobs;
  const rlim_t left = limit.rlim_cur > kOthers ? limit.rlim_cur - kOthers : 0;
  const auto most =
      static_cast<int>(std::clamp<rlim_t>(left / kPerJob, 1, 1 << 20));
  if (jobs <= most) return jobs;
  messages.warn(fmt::format(
      "{} requests at a time instead of {}: the limit is {} open files", most,
      jobs, limit.rlim_cur));
  return most;
}

// What is owed when every record has its line.
Status publish(const BatchRun& run, BatchOutput& output,
               std::optional<batch::Journal>& journal, ExitStatus status) {
  if (journal) LLMROUTE_CHECK(journal->sync());
  LLMROUTE_TRY(const auto digest, output.publish());
  if (!journal || !digest) return {};
  return journal->finish({*digest, run.totals().ok(), run.totals().failed(),
                          static_cast<int64_t>(status), run.input().hex()});
}

ExitStatus tell_done(const batch::JournalEnd& done, const Messages& messages) {
  std::string text =
      done.ok + done.failed == 0
          ? "no records"
          : "an earlier run did all of it; nothing is asked again";
  if (done.failed > 0) {
    text += fmt::format("; {} of {} failed (--retry-errors asks those again)",
                        base::with_thousands(done.failed),
                        base::with_thousands(done.ok + done.failed));
  }
  messages.line(text);
  return static_cast<ExitStatus>(done.status);
}

Status write_summary(const BatchOutputOptions& output,
                     const std::string& json) {
  if (!output.summary) return {};
  if (*output.summary != kStdout) {
    return base::replace_file(*output.summary, json);
  }
  if (const int error = base::write_all(STDOUT_FILENO, json)) {
    return base::Error{base::ErrorKind::kIo,
                       "writing to stdout: " + base::errno_text(error)};
  }
  return {};
}

// Of a batch that an earlier run has done.
Status tell_done_summary(const BatchOutputOptions& output,
                         const batch::Journal& journal) {
  if (!output.summary) return {};
  BatchTotals totals;
  LLMROUTE_CHECK(journal.for_each(
      [&totals](const batch::JournalRecord& one) { totals.add(one, true); }));
  totals.spend(journal.settled() + journal.orphaned(), journal.replaced());
  return write_summary(output,
                       summary_json(totals, {}, nullptr, output.timing));
}

Status tell_summary(const BatchRun& run, const BatchOptions& options,
                    const Messages& messages, const base::Error* why,
                    bool resumable) {
  const auto took = run.progress().elapsed(std::chrono::steady_clock::now());
  if (!options.messages.quiet) {
    std::string text =
        options.output.progress == "json"
            ? summary_json(run.totals(), took, why, options.output.timing)
            : summary_text(run.totals(), took, why, options.output.timing,
                           resumable);
    text.pop_back();
    messages.line(text);
  }
  return write_summary(options.output, summary_json(run.totals(), took, why,
                                                    options.output.timing));
}

// Of two failures the lesser is a warning.
Status graver(const Status& one, const Status& other,
              const Messages& messages) {
  if (one || other) return one ? other : one;
  const bool first = core::is_graver(core::exit_status(one.error().kind),
                                     core::exit_status(other.error().kind));
  messages.warn((first ? other : one).error().message);
  return first ? one : other;
}

Result<ExitStatus> ask(const BatchOptions& options, const Routed& routed,
                       batch::InputLines& lines, const BatchIdentity& identity,
                       const base::Environment& environment,
                       const Messages& messages) {
  LLMROUTE_TRY(BatchJournal begun, open_batch_journal(options, identity));
  const UnusedJournal unused(begun);
  if (begun.done) {
    LLMROUTE_TRY(const bool unchanged,
                 is_unchanged(*begun.done, options.input, lines));
    if (unchanged) {
      LLMROUTE_CHECK(tell_done_summary(options.output, *begun.journal));
      return tell_done(*begun.done, messages);
    }
  }
  if (begun.journal && options.output.force) {
    LLMROUTE_CHECK(begin_anew_if_changed(begun, options, lines, messages));
  }
  const InterruptGuard interrupt;
  LLMROUTE_TRY(
      BatchOutput output,
      BatchOutput::open(options.output, begun.existing, begun.existing_errors,
                        interrupt.cancel().flag));
  LLMROUTE_TRY(batch::RecordParser parser,
               record_parser(options.input, options.output.echo));
  LLMROUTE_TRY(BatchLedger ledger,
               BatchLedger::open(options.ledger, options.run_ceiling, routed,
                                 options.routing, environment, messages));
  LLMROUTE_CHECK(begin_journal(begun));
  BatchRun run({options, routed, environment, messages, interrupt, lines,
                parser, begun.journal ? &*begun.journal : nullptr,
                begun.other_lines, output, ledger, identity.run_id,
                scratch_directory(options.output)});
  const Status ran = run.run();
  const Status recorded = ledger.close();
  if (output.reader_gone()) die_by_signal(SIGPIPE);
  const auto status =
      run.totals().failed() > 0 ? ExitStatus::kNegative : ExitStatus::kOk;
  const Status ended = ran && !interrupt.interrupted()
                           ? publish(run, output, begun.journal, status)
                           : ran;
  if (output.reader_gone()) die_by_signal(SIGPIPE);
  const base::Error interrupted{base::ErrorKind::kTryLater, "interrupted"};
  const base::Error* why = interrupt.interrupted() ? &interrupted
                           : ended                 ? nullptr
                                                   : &ended.error();
  const Status told =
      tell_summary(run, options, messages, why, begun.journal.has_value());
  if (interrupt.interrupted()) {
    if (!told) messages.warn(told.error().message);
    interrupt.die();
  }
  LLMROUTE_CHECK(graver(graver(ended, told, messages), recorded, messages));
  return status;
}

// Options that say nothing to a batch which asks nobody.
Status check_modes(const BatchOptions& options) {
  const BatchOutputOptions& output = options.output;
  const bool about_asking =
      output.journal || output.summary || output.retry_errors;
  const auto usage = [](const char* why) {
    return base::Error{base::ErrorKind::kUsage, why};
  };
  if (options.collect &&
      (options.split || options.dry_run || options.validate)) {
    return usage("--collect excludes --split, --dry-run and --validate");
  }
  const BatchInputOptions& input = options.input;
  if (options.collect && (!input.files.empty() || input.lines || input.nul ||
                          input.prompt_template || input.prompt_field ||
                          input.skip > 0 || input.limit || input.shard)) {
    return usage(
        "--collect takes no input and no options of it: the manifest has its "
        "records");
  }
  if (options.split && (output.file || output.errors)) {
    return usage(
        "--split writes to its directory: -o and --errors say nothing");
  }
  if ((options.split || options.collect) && about_asking) {
    return usage(
        "--journal, --summary and --retry-errors are of a batch that "
        "asks: --split and --collect do not");
  }
  return {};
}

}  // namespace

Result<ExitStatus> batch(const BatchOptions& given,
                         const base::Environment& environment) {
  const Messages messages(given.messages);
  LLMROUTE_CHECK(check_modes(given));
  if (given.collect) return collect_batch(given, environment, messages);
  LLMROUTE_TRY(BatchOptions options, settle_options(given, environment));
  const bool offline = options.dry_run || options.validate || options.split;
  std::optional<provider::Preload> preload;
  if (!offline) preload.emplace();
  watch_status_signal();
  const RouteQuestion question{options.config,
                               {},
                               options.routing,
                               options.request,
                               request_limits(options),
                               offline ? Asker::kExplain : Asker::kRun,
                               options.limits.max_cost.has_value()};
  LLMROUTE_TRY(Routed routed, prepare_routing(question, environment));
  const BatchIdentity identity = identify_batch(options, routed);
  LLMROUTE_TRY(batch::InputLines lines, open_lines(options.input));
  LLMROUTE_CHECK(check_outputs(lines.files(), options.output));
  LLMROUTE_CHECK(add_decider(question, environment, routed));
  LLMROUTE_CHECK(check_routing_options(options, routed));
  if (options.dry_run || options.validate) {
    return estimate_batch(options, routed, lines, messages);
  }
  if (options.split) return split_batch(options, routed, lines, messages);
  if (options.limits.offline) {
    return base::Error{base::ErrorKind::kUnavailable,
                       "LLMROUTE_OFFLINE is set: nothing was sent"};
  }
  options.jobs = jobs_within_limits(options.jobs, messages);
  return ask(options, routed, lines, identity, environment, messages);
}

}  // namespace llmroute::app
