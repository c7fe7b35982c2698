#include "app/batch_ledger.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <utility>

#include "app/ceilings.h"
#include "app/experience.h"
#include "app/kept_inputs.h"
#include "app/ledger_book.h"
#include "app/ledger_rows.h"
#include "app/ledger_spill.h"
#include "base/clock.h"
#include "store/holds.h"
#include "store/ledger_file.h"
#include "store/upkeep.h"

namespace llmroute::app {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using base::Status;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Decisions in one transaction, and how long one waits for others.
constexpr size_t kTogether = 256;
constexpr milliseconds kFlushAfter{1000};
// That wait for a ledger which cannot be written now.
constexpr size_t kMostPending = 4096;
// How long to wait for others who write it: at once, while requests run; at the
// beginning and at the end; and in all before nothing more is sent.
constexpr milliseconds kShortly{500};
constexpr milliseconds kPatiently{5000};
constexpr milliseconds kUnderCeiling{30'000};

// With so few descriptors requests need them more than the ledger does.
constexpr rlim_t kFewDescriptors = 32;

bool few_descriptors() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
         limit.rlim_cur < kFewDescriptors;
}

bool has_ceilings(const core::Config& config) {
  return config.limits.per_day || config.limits.per_month ||
         !config.budgets.empty();
}

}  // namespace

Result<BatchLedger> BatchLedger::open(const LedgerOptions& options,
                                      std::optional<core::Money> run_ceiling,
                                      const Routed& routed,
                                      const core::RoutingOptions& routing,
                                      const base::Environment& environment,
                                      const Messages& messages) {
  BatchLedger ledger(routed, messages);
  ledger.run_ = options.run;
  ledger.learns_ = options.learn;
  ledger.strict_ = options.strict;
  if (options.run && run_ceiling) {
    ledger.run_ceiling_ = {store::Window::kRun, "", *run_ceiling};
  }
  ledger.holds_ = has_ceilings(*routed.config) || ledger.run_ceiling_;
  const bool needed = ledger.run_ceiling_ ||
                      !shared_ceilings(*routed.config, routing.tags).empty();
  const auto place = ledger_place(options, environment);
  ledger.off_ = !place;
  if (place) {
    ledger.path_ = store::ledger_path(*place);
    if (is_unsafe(ledger.path_)) return ledger.path_.error();
    if (needed || options.strict || !few_descriptors()) {
      ledger.usable_ = ledger.open_ledger();
    }
  }
  if (needed && !ledger.ledger_) return ledger.no_ledger();
  if (options.strict && !ledger.ledger_) {
    return not_strict(ledger.off_, ledger.usable_);
  }
  return ledger;
}

Status BatchLedger::open_ledger() {
  if (!path_) return path_.error();
  store::DatabaseOptions options;
  if (holds_) options.durability = store::Durability::kFull;
  options.busy_timeout = holds_ ? kUnderCeiling : kPatiently;
  LLMROUTE_TRY(store::Ledger ledger, store::Ledger::open(*path_, options));
  LLMROUTE_TRY(
      shared_inputs_,
      keep_shared_inputs(ledger, *routed_->config, routed_->analyzer->sha256(),
                         routed_->decider->circumstances()));
  warn_of_network(ledger, *messages_);
  warn_of_clock(ledger, *messages_);
  LLMROUTE_CHECK(import_spilled(ledger, *messages_));
  ledger.database().set_busy_timeout(kShortly);
  ledger.database().set_writes_much(true);
  ledger_.emplace(std::move(ledger));
  if (learns_) ledger_->teach(learner_.get());
  return {};
}

Error BatchLedger::no_ledger() const {
  if (off_) return ledger_is_off();
  return base::with_context("nothing was sent: a ceiling needs the ledger",
                            usable_.error());
}

Status BatchLedger::begin(BatchItem& item, const Taken& taken) {
  item.ceilings = shared_ceilings(*routed_->config, taken.options.tags);
  if (run_ceiling_) item.ceilings.push_back(*run_ceiling_);
  if (!item.ceilings.empty() && !ledger_) {
    if (!off_ && usable_) usable_ = open_ledger();  // was not needed before
    if (!ledger_) return no_ledger();
  }
  if (off_) return {};
  store::DecisionRow& row = item.recorded.decision;
  row = decision_row(base::make_ulid(base::wall_now()), "batch", taken);
  row.run = run_;
  add_retake(taken, row);
  if (ledger_) {
    const auto hash = ledger_->prompt_hash(hashed_text(taken.prompt));
    if (hash) row.prompt_hash = *hash;
  }
  return {};
}

Result<bool> BatchLedger::before(BatchItem& item) {
  if (item.ceilings.empty()) return true;
  Status held = flush();
  if (held) {
    Attempt asked;
    asked.candidate = &item.asked_of();
    LLMROUTE_TRY(const store::AttemptRow row,
                 row_to_hold(item.decision, asked, item.attempts + 1));
    held = store::hold(*ledger_, item.recorded.decision, row, item.ceilings,
                       wall_ms());
  }
  if (may_wait(held)) return false;
  LLMROUTE_CHECK(held);
  return true;
}

// Whether others keep the ledger locked, but not for too long yet.
bool BatchLedger::may_wait(const Status& status) {
  if (status || status.error().kind != ErrorKind::kTryLater) {
    locked_since_.reset();
    return false;
  }
  const Time now = steady_clock::now();
  if (!locked_since_) locked_since_ = now;
  return now - *locked_since_ < kUnderCeiling;
}

void BatchLedger::after(BatchItem& item, const Attempt& attempt,
                        const core::Reply* reply) {
  ++item.attempts;
  if (off_) return;
  item.recorded.attempts.push_back(
      attempt_row(item.decision, attempt, reply, item.attempts));
  if (attempt.failure && attempt.failure->retry_after &&
      attempt.failure->kind == core::FailureClass::kThrottled) {
    learner_->expect_hold(item.recorded.decision.id, item.attempts,
                          *attempt.failure->retry_after);
  }
  // What was held is free for others at once.
  if (!item.ceilings.empty()) {
    pending_.push_back(
        {item.recorded.decision, std::exchange(item.recorded.attempts, {})});
    oldest_ = {};
  }
}

void BatchLedger::end(BatchItem& item) {
  if (off_ || item.attempts == 0) return;
  if (pending_.empty()) oldest_ = steady_clock::now();
  pending_.push_back(std::move(item.recorded));
}

std::optional<BatchLedger::Time> BatchLedger::next_flush() const {
  if (pending_.empty()) return std::nullopt;
  return oldest_ + kFlushAfter;
}

Status BatchLedger::flush_if_due(Time now) {
  const auto due = next_flush();
  const bool many = pending_.size() >= kTogether && usable_.has_value();
  if (!due || (!many && now < *due)) return {};
  const Status flushed = flush();
  if (!may_wait(flushed) && !flushed && holds_) return flushed;
  oldest_ = now;  // what is left is tried again later
  if (pending_.size() >= kMostPending) spill_pending();
  return {};
}

Status BatchLedger::flush() {
  if (pending_.empty() || !ledger_) return usable_;
  for (store::Recorded& one : pending_)
    one.decision.shared_inputs = shared_inputs_;
  usable_ = ledger_->record(pending_, wall_ms());
  if (usable_) pending_.clear();
  return usable_;
}

void BatchLedger::spill_pending() {
  Status spilled =
      spill(path_, pending_, usable_,
            fmt::format("{} records are not in the ledger", pending_.size()));
  pending_.clear();
  if (ledger_) usable_ = {};  // as far as is known
  if (spilled) return;
  if (!strict_) return messages_->warn(spilled.error().message);
  if (spilled_) spilled_ = std::move(spilled);
}

Status BatchLedger::close() {
  if (off_) return {};
  if (!ledger_) usable_ = open_ledger();
  if (ledger_) ledger_->database().set_busy_timeout(kPatiently);
  if (!flush() && !pending_.empty()) spill_pending();
  if (!ledger_) return spilled_;
  (void)store::forget_oldest(*ledger_, wall_ms());
  ledger_->database().set_writes_much(false);
  return spilled_;
}

}  // namespace llmroute::app
