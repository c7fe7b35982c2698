#include "app/batch_run.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "app/batch_record.h"
#include "app/batch_setup.h"
#include "app/batch_summary.h"
#include "base/text.h"

namespace llmroute::app {
namespace {

using base::Status;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPatience{5000};  // for running requests, interrupted
constexpr milliseconds kPatienceWithCommands{3000};

batch::ResultOptions result_options(const BatchOptions& options,
                                    const std::string& run_id) {
  batch::ResultOptions result;
  result.run_id = run_id;
  if (options.output.form) {
    result.form = options.output.form == "openai" ? batch::Form::kOpenAi
                                                  : batch::Form::kNative;
  }
  result.extras = options.output.extras;
  result.echo = options.output.echo;
  return result;
}

std::string progress_style(const BatchOptions& options) {
  const std::string& asked = options.output.progress;
  return asked == "auto" && options.messages.quiet ? "never" : asked;
}

core::Money settled_before(const batch::Journal* journal) {
  return journal == nullptr ? core::Money{}
                            : journal->settled() + journal->orphaned();
}

}  // namespace

BatchRun::BatchRun(const BatchParts& parts)
    : parts_(parts),
      result_options_(result_options(parts.options, parts.run_id)),
      budget_(parts.options.limits.max_cost, settled_before(parts.journal)),
      dispatcher_(
          dispatch_limits(),
          {budget_, parts.ledger, calls_, parts.environment, parts.messages,
           totals_},
          [this](std::unique_ptr<BatchItem> item, Answered answered) {
            finished(std::move(item), std::move(answered));
          },
          [this](int64_t line, core::Money hold) {
            if (parts_.journal == nullptr) return Status();
            return parts_.journal->append(batch::JournalSend{line, hold});
          },
          [this](const batch::Record& record) {
            return least_needed(record, parts_.options, parts_.routed, totals_);
          },
          [this](const batch::Record& record) {
            return input_ended_ && totals_.ok() > 0 &&
                   parts_.journal != nullptr &&
                   parts_.journal->given_up(record.line);
          }),
      ids_(parts.scratch_directory),
      progress_(progress_style(parts.options),
                parts.environment.get("TERM") != "dumb", parts.messages,
                steady_clock::now()),
      by_id_(parts.options.output.match == "id") {}

DispatchLimits BatchRun::dispatch_limits() const {
  const core::Limits& limits = parts_.routed.config->limits;
  DispatchLimits result;
  result.jobs = parts_.options.jobs;
  result.requests_per_minute = parts_.options.requests_per_minute;
  result.tokens_per_minute = parts_.options.tokens_per_minute;
  result.give_up = limits.give_up;
  result.shards = shards_of(parts_.options.input);
  result.call = limits;
  result.retries.cap = milliseconds(60'000);
  result.retries.longest_hint = milliseconds(120'000);
  const bool own = parts_.options.limits.retries.has_value();
  result.retries.attempts_per_candidate =
      own ? limits.attempts_per_candidate : 5;
  result.retries.attempts_per_request = own ? limits.attempts_per_request : 10;
  return result;
}

Status BatchRun::run() {
  Status status = run_all();
  const batch::Journal* journal = parts_.journal;
  totals_.spend(budget_.settled(),
                journal == nullptr ? core::Money{} : journal->replaced());
  if (repaired_ > 0) {
    parts_.messages.warn(fmt::format(
        "{} answer{} held invalid UTF-8, written as U+FFFD",
        base::with_thousands(repaired_), repaired_ == 1 ? "" : "s"));
  }
  return status;
}

Status BatchRun::run_all() {
  Status status;
  while (status && !over() && !dispatcher_.stopped() &&
         !parts_.interrupt.interrupted()) {
    status = turn();
  }
  progress_.clear();
  const std::optional<base::Error> stopped = dispatcher_.stopped();
  const bool writable = status || status.error().kind != base::ErrorKind::kIo;
  const Status drained = writable ? drain() : Status();
  cancel_all();
  dispatcher_.abandon();
  if (!writable) return status;
  LLMROUTE_CHECK(drained);
  LLMROUTE_CHECK(callback_status_);
  if (parts_.journal == nullptr) LLMROUTE_CHECK(write_rest());
  LLMROUTE_CHECK(parts_.output.flush());
  if (parts_.journal != nullptr) {
    LLMROUTE_CHECK(parts_.journal->sync());
  }
  if (!status) return status;
  if (stopped) return *stopped;
  return {};
}

Status BatchRun::turn() {
  LLMROUTE_CHECK(admit());
  dispatcher_.dispatch(steady_clock::now());
  if (too_dear_ && idle()) {
    dispatcher_.stop_for_money(too_dear_->first, too_dear_->second);
  }
  LLMROUTE_CHECK(flush());
  const Time now = steady_clock::now();
  if (progress_.due(now)) progress_.show(state(now), now);
  if (over() || dispatcher_.stopped()) return check_errors();
  LLMROUTE_CHECK(wait(now));
  calls_.turn();
  LLMROUTE_CHECK(callback_status_);
  LLMROUTE_CHECK(sync_if_due());
  const Status written = parts_.ledger.flush_if_due(steady_clock::now());
  if (!written) dispatcher_.stop(written.error());
  warn_of_ceiling();
  return check_errors();
}

Status BatchRun::wait(Time now) {
  Time until = now + calls_.timeout();
  if (wants_more() && !input_waits_) until = now;
  until = std::min(until, dispatcher_.next());
  if (const auto due = progress_.next()) until = std::min(until, *due);
  if (parts_.journal != nullptr) {
    if (const auto due = parts_.journal->next_sync()) {
      until = std::min(until, *due);
    }
  }
  if (const auto due = parts_.ledger.next_flush()) {
    until = std::min(until, *due);
  }
  const bool to_stdout = parts_.output.to_stdout();
  std::array<pollfd, 4> fds = {
      {{calls_.fd(), POLLIN, 0},
       {parts_.interrupt.cancel().wake_fd, POLLIN, 0},
       {input_waits_ && wants_more() ? parts_.lines.fd() : -1, POLLIN, 0},
       {to_stdout ? STDOUT_FILENO : -1, 0, 0}}};
  // What is due may be due since the beginning of time.
  const auto left = std::chrono::ceil<milliseconds>(std::max(until, now) - now);
  const int news =
      ::poll(fds.data(), fds.size(),
             static_cast<int>(std::clamp<int64_t>(left.count(), 0, 60'000)));
  if (news > 0 && (fds[3].revents & (POLLERR | POLLHUP)) != 0) {
    return parts_.output.lose_reader();
  }
  return {};
}

// A reader that is slow holds us up; that is not the providers' fault.
Status BatchRun::flush() {
  const Time before = steady_clock::now();
  LLMROUTE_CHECK(parts_.output.flush());
  const auto blocked = steady_clock::now() - before;
  if (blocked > milliseconds(5)) calls_.exclude(blocked);
  return {};
}

Status BatchRun::sync_if_due() {
  return parts_.journal != nullptr
             ? parts_.journal->sync_if_due(steady_clock::now())
             : Status();
}

Status BatchRun::check_errors() const {
  const BatchOptions& options = parts_.options;
  if (!options.max_errors) return {};
  // What failed in earlier runs is no reason to stop again.
  const int64_t failed = totals_.newly_failed();
  const int64_t done = totals_.done() - totals_.replayed();
  const double all = static_cast<double>(std::max<int64_t>(100, done));
  const double most = options.max_errors_percent
                          ? *options.max_errors / 100 * all
                          : *options.max_errors;
  if (static_cast<double>(failed) <= most) return {};
  return base::Error{
      base::ErrorKind::kNegative,
      fmt::format("{} of {} records failed, more than --max-errors allows; the "
                  "same command goes on",
                  failed, done)};
}

void BatchRun::warn_of_ceiling() {
  const auto& ceiling = budget_.ceiling();
  if (!ceiling || warned_of_ceiling_) return;
  if (budget_.settled().pico / 4 < ceiling->pico / 5) return;
  warned_of_ceiling_ = true;
  parts_.messages.warn(spent_text(totals_, budget_.settled(), *ceiling));
}

BatchState BatchRun::state(Time now) const {
  return {totals_,
          expected(),
          dispatcher_.running(),
          dispatcher_.waiting(),
          dispatcher_.retries(),
          budget_.ceiling(),
          dispatcher_.troubles(now)};
}

// Records in the whole input, as far as its bytes tell.
std::optional<int64_t> BatchRun::expected() const {
  if (input_ended_) return admitted_;
  const auto& limit = parts_.options.input.limit;
  const auto share = parts_.lines.share();
  if (!share || *share <= 0) return limit;
  const auto all =
      std::llround(static_cast<double>(admitted_) / std::max(*share, 1e-9));
  return std::min<int64_t>(limit.value_or(all), all);
}

// What an interrupted batch still does: to be told before it is done.
void BatchRun::tell_patience() const {
  const size_t running = dispatcher_.running();
  if (running == 0) return;
  const bool by_key = parts_.interrupt.signal() == SIGINT;
  parts_.messages.warn(fmt::format(
      "interrupted: waiting up to {} s for {} answer{} under way; a second {} "
      "stops at once",
      kPatience.count() / 1000, running, running == 1 ? "" : "s",
      by_key ? "Ctrl-C" : "signal"));
}

// Nothing more is started; what runs may still answer for a while.
Status BatchRun::drain() {
  const bool interrupted = parts_.interrupt.interrupted();
  if (interrupted) tell_patience();
  const Time end = steady_clock::now() + kPatience;
  dispatcher_.stop({base::ErrorKind::kSoftware, "interrupted"});
  while (dispatcher_.running() > 0 && callback_status_) {
    const Time now = steady_clock::now();
    if (interrupted && now >= end) break;
    std::array<pollfd, 2> fds = {
        {{calls_.fd(), POLLIN, 0},
         {interrupted ? -1 : parts_.interrupt.cancel().wake_fd, POLLIN, 0}}};
    auto left = calls_.timeout();
    if (interrupted) {
      left = std::min(left, std::chrono::ceil<milliseconds>(end - now));
    }
    ::poll(fds.data(), fds.size(), static_cast<int>(left.count()));
    calls_.turn();
    LLMROUTE_CHECK(flush());
    LLMROUTE_CHECK(sync_if_due());
    if (!interrupted && parts_.interrupt.interrupted()) return drain();
  }
  return {};
}

// Commands outlive a process that does not wait until they are killed.
void BatchRun::cancel_all() {
  calls_.cancel_all();
  const Time end = steady_clock::now() + kPatienceWithCommands;
  while (calls_.running() > 0 && steady_clock::now() < end) {
    pollfd one{calls_.fd(), POLLIN, 0};
    ::poll(&one, 1, static_cast<int>(calls_.timeout().count()));
    calls_.turn();
  }
}

}  // namespace llmroute::app
