#include "app/batch_run.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "app/batch_record.h"
#include "app/input.h"
#include "app/result.h"
#include "app/whole_answer.h"
#include "base/clock.h"
#include "core/exit_status.h"

namespace llmroute::app {
namespace {

using base::Status;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Records that may be between admission and output, and the bytes of results
// that wait for an earlier one.
constexpr size_t kWindow = 256;
constexpr size_t kWindowBytes = size_t{64} << 20;
constexpr milliseconds kPatience{5000};  // for running requests, interrupted
constexpr milliseconds kPatienceWithCommands{3000};
constexpr std::string_view kDuplicateId = "duplicate_id";

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

std::optional<core::Money> ceiling_of(const BatchOptions& options) {
  if (!options.limits.max_cost) return std::nullopt;
  return core::parse_usd(*options.limits.max_cost);
}

core::Money settled_before(const batch::Journal* journal) {
  return journal == nullptr ? core::Money{}
                            : journal->settled() + journal->orphaned();
}

// Nobody answered: an error in the record's place.
batch::Result failed_result(const Answered& answered) {
  const base::Error error = failed(answered, 0);
  const core::Failure& last = *answered.attempts.back().failure;
  batch::Result result;
  result.error = batch::ResultError{
      core::exit_status_code(core::exit_status(error.kind)),
      redacted(error.message), error.kind == base::ErrorKind::kTryLater,
      last.http_status, answered.by->provider->name};
  return result;
}

batch::JournalRecord journal_record(const BatchItem& item,
                                    const batch::Result& result,
                                    const core::Candidate& by) {
  batch::JournalRecord record;
  record.model = by.model->name;
  record.provider = by.provider->name;
  if (!item.cost_unknown) record.cost = item.spent;
  record.cost_estimated = item.cost_estimated;
  record.attempts = result.attempts;
  record.ms = result.ms.value_or(0);
  return record;
}

}  // namespace

BatchRun::BatchRun(const BatchParts& parts)
    : parts_(parts),
      result_options_(result_options(parts.options, parts.run_id)),
      budget_(ceiling_of(parts.options), settled_before(parts.journal)),
      dispatcher_(
          dispatch_limits(), budget_, calls_, parts.environment, parts.messages,
          [this](std::unique_ptr<BatchItem> item, Answered answered) {
            finished(std::move(item), std::move(answered));
          },
          [this](int64_t line, core::Money hold) {
            if (parts_.journal == nullptr) return Status();
            return parts_.journal->append(batch::JournalSend{line, hold});
          }),
      ids_(parts.scratch_directory),
      progress_(progress_style(parts.options), parts.messages,
                steady_clock::now()),
      by_id_(parts.options.output.match == "id") {}

DispatchLimits BatchRun::dispatch_limits() const {
  const core::Limits& limits = parts_.routed.config->limits;
  DispatchLimits result;
  result.jobs = parts_.options.jobs;
  result.requests_per_minute = parts_.options.requests_per_minute;
  result.tokens_per_minute = parts_.options.tokens_per_minute;
  result.give_up = limits.give_up;
  result.call = limits;
  result.retries.cap = milliseconds(60'000);
  result.retries.longest_hint = milliseconds(120'000);
  const bool own = parts_.options.limits.retries.has_value();
  result.retries.attempts_per_candidate =
      own ? limits.attempts_per_candidate : 5;
  result.retries.attempts_per_request = own ? limits.attempts_per_request : 10;
  return result;
}

size_t BatchRun::window() const {
  return std::max(kWindow, 2 * static_cast<size_t>(parts_.options.jobs));
}

bool BatchRun::wants_more() const {
  const size_t on_the_way = dispatcher_.running() + dispatcher_.waiting();
  const bool room = order_.size() < window() && order_.bytes() < kWindowBytes &&
                    on_the_way < window();
  return room && !input_ended_ && !dispatcher_.stopped() &&
         !parts_.interrupt.interrupted();
}

bool BatchRun::over() const {
  return input_ended_ && dispatcher_.running() + dispatcher_.waiting() == 0;
}

// Reads what there is, as far as there is room for it, and no more than the
// rest of a turn may wait for.
Status BatchRun::admit() {
  input_waits_ = false;
  for (size_t n = 0; n < kWindow && wants_more() && failed_; ++n) {
    batch::InputLine line;
    LLMROUTE_TRY(const auto next, parts_.lines.next(line));
    if (next == batch::InputLines::Next::kEnd) {
      input_ended_ = true;
    } else if (next == batch::InputLines::Next::kWait) {
      input_waits_ = true;
      return {};
    } else {
      LLMROUTE_CHECK(take_line(line));
      LLMROUTE_CHECK(check_errors());
    }
  }
  return {};
}

Status BatchRun::take_line(const batch::InputLine& line) {
  ++admitted_;
  const int64_t place =
      parts_.options.output.unordered ? 0 : order_.take_place();
  batch::Record record = line.too_long
                             ? batch::too_long_record(line.number)
                             : parts_.parser.parse(line.text, line.number);
  bool fresh = true;
  if (!record.error) {
    LLMROUTE_TRY(fresh, ids_.insert(record.id));
  }
  base::Fingerprint input{};
  if (parts_.journal != nullptr) {
    input = base::fingerprint(line.text);
    LLMROUTE_TRY(auto found, journaled(record, fresh, input));
    if (found) return replay(*std::move(found), place);
  }
  if (!fresh) record.error = batch::duplicate_id(record);
  if (record.error) return refuse(std::move(record), place, input);
  return route(std::move(record), place, input);
}

// What an earlier run has made of it.
base::Result<std::optional<batch::JournalRecord>> BatchRun::journaled(
    const batch::Record& record, bool fresh, const base::Fingerprint& input) {
  if (by_id_) {
    // Of several with an id the first is meant.
    if (!fresh) return std::optional<batch::JournalRecord>();
    return parts_.journal->find(record.id, input);
  }
  LLMROUTE_TRY(auto found, parts_.journal->find(record.line));
  if (!found || found->input == input) return found;
  return base::Error{
      base::ErrorKind::kData,
      fmt::format("line {} of the input is not what it was when the journal "
                  "was written; --match=id lets lines move",
                  record.line)};
}

// Its result is put out again.
Status BatchRun::replay(batch::JournalRecord record, int64_t place) {
  totals_.add(record, true);
  return put(place, {std::move(record.out), record.ok});
}

// What cannot be asked is a result as well.
Status BatchRun::refuse(batch::Record record, int64_t place,
                        const base::Fingerprint& input) {
  const batch::Result result = batch::unasked(record);
  if (parts_.options.strict) {
    return base::Error{base::ErrorKind::kData,
                       fmt::format("line {}: {} (--strict)", record.line,
                                   record.error->message)};
  }
  batch::JournalRecord journaled;
  journaled.cost = core::Money{};
  return finish(record, place, input, result, std::move(journaled));
}

// Not even the whole ceiling pays for one such record: that is the batch's end
// and not the record's fault, unless its own limit is the lower one.
bool BatchRun::stops_at_ceiling(const batch::Record& record,
                                const base::Error& error) {
  const auto& ceiling = budget_.ceiling();
  const auto& own = record.overrides.max_cost;
  const auto& each = parts_.routed.config->limits.max_cost;
  if (error.kind != base::ErrorKind::kBudget || !ceiling ||
      (own && *own < *ceiling) || (each && *each < *ceiling)) {
    return false;
  }
  dispatcher_.stop(error);
  return true;
}

Status BatchRun::route(batch::Record record, int64_t place,
                       const base::Fingerprint& input) {
  auto decision = decide_record(record, parts_.options, parts_.routed);
  if (!decision && stops_at_ceiling(record, decision.error())) return {};
  if (!decision) {
    record.error = not_routed(decision.error());
    return refuse(std::move(record), place, input);
  }
  auto item = std::make_unique<BatchItem>();
  item->place = place;
  item->input = input;
  item->decision = *std::move(decision);
  item->decision.excluded.clear();
  item->prompt = apply_template(record.prompt, item->decision.prompt_template);
  item->record = std::move(record);
  dispatcher_.add(std::move(item));
  return {};
}

void BatchRun::finished(std::unique_ptr<BatchItem> item, Answered answered) {
  const core::Candidate& by = *answered.by;
  batch::Result result;
  batch::JournalRecord journaled;
  if (answered.reply) {
    const Status whole = whole_answer(
        *answered.reply, by, item->record.prompt.parameters.max_tokens);
    result.reply = *std::move(answered.reply);
    if (!whole) {
      result.error = batch::ResultError{std::string(batch::kIncomplete),
                                        whole.error().message, false, 0,
                                        by.provider->name};
    }
  } else {
    result = failed_result(answered);
  }
  if (!item->cost_unknown) result.cost = item->spent;
  result.cost_estimated = item->cost_estimated && result.cost;
  result.routed = item->decision.candidates.front().model->name;
  result.provider = by.provider->name;
  result.route = item->decision.route;
  result.source = core::source_name(item->decision.source);
  result.attempts =
      static_cast<int>(answered.attempts.size()) + item->uncounted;
  if (parts_.options.output.timing) {
    result.ms = item->asked.count();
    result.created = std::chrono::duration_cast<std::chrono::seconds>(
                         base::SystemClock().wall().time_since_epoch())
                         .count();
  }
  journaled = journal_record(*item, result, by);
  if (answered.reply || result.reply.usage.complete()) {
    journaled.strongest = strongest_cost(item->decision, result.reply.usage);
  }
  const Status status = finish(item->record, item->place, item->input, result,
                               std::move(journaled));
  if (!status && failed_) failed_ = status;
}

// Journal first, then the output: a result counts once it is journaled.
Status BatchRun::finish(const batch::Record& record, int64_t place,
                        const base::Fingerprint& input,
                        const batch::Result& result,
                        batch::JournalRecord journaled) {
  journaled.line = record.line;
  journaled.input = input;
  journaled.id = record.id;
  journaled.ok = !result.error;
  journaled.error_code = result.error ? result.error->code : "";
  journaled.input_tokens = result.reply.usage.input;
  journaled.output_tokens = result.reply.usage.output;
  totals_.add(journaled, false);
  batch::FinishedLine line{batch::result_line(record, result, result_options_),
                           journaled.ok};
  // Found by id, a duplicate would be taken for the first; it costs nothing.
  const bool found_again = by_id_ && journaled.error_code == kDuplicateId;
  if (parts_.journal != nullptr && !found_again) {
    journaled.out = line.text;
    LLMROUTE_CHECK(parts_.journal->append(std::move(journaled)));
  }
  return put(place, std::move(line));
}

Status BatchRun::put(int64_t place, batch::FinishedLine line) {
  if (parts_.options.output.unordered) return parts_.output.write(line);
  order_.put(place, std::move(line));
  return write_in_order();
}

Status BatchRun::write_in_order() {
  while (auto line = order_.next()) {
    LLMROUTE_CHECK(parts_.output.write(*line));
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
  parts_.messages.warn(fmt::format("{} of the ceiling of {} are spent",
                                   core::display_usd(budget_.settled()),
                                   core::display_usd(*ceiling)));
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

BatchState BatchRun::state(Time now) const {
  return {totals_,
          expected(),
          dispatcher_.running(),
          dispatcher_.waiting(),
          dispatcher_.retries(),
          budget_.ceiling(),
          dispatcher_.troubles(now)};
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

Status BatchRun::turn() {
  LLMROUTE_CHECK(admit());
  dispatcher_.dispatch(steady_clock::now());
  LLMROUTE_CHECK(flush());
  const Time now = steady_clock::now();
  if (progress_.due(now)) progress_.show(state(now), now);
  if (over() || dispatcher_.stopped()) return check_errors();
  LLMROUTE_CHECK(wait(now));
  calls_.turn();
  LLMROUTE_CHECK(failed_);
  LLMROUTE_CHECK(sync_if_due());
  warn_of_ceiling();
  return check_errors();
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

// Nothing more is started; what runs may still answer for a while.
Status BatchRun::drain() {
  const bool interrupted = parts_.interrupt.interrupted();
  const Time end = steady_clock::now() + kPatience;
  dispatcher_.stop({base::ErrorKind::kSoftware, "interrupted"});
  while (dispatcher_.running() > 0 && failed_) {
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

Status BatchRun::run() {
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
  if (!writable) return status;
  LLMROUTE_CHECK(drained);
  LLMROUTE_CHECK(failed_);
  LLMROUTE_CHECK(parts_.output.flush());
  if (parts_.journal != nullptr) {
    LLMROUTE_CHECK(parts_.journal->sync());
  }
  if (!status) return status;
  if (stopped) return *stopped;
  return {};
}

}  // namespace llmroute::app
