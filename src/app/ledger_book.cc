#include "app/ledger_book.h"

#include <utility>

#include "app/ceilings.h"
#include "app/kept_inputs.h"
#include "app/ledger_rows.h"
#include "app/ledger_spill.h"
#include "base/clock.h"
#include "store/holds.h"
#include "store/ledger_file.h"
#include "store/sessions.h"
#include "store/upkeep.h"

namespace llmroute::app {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using base::Status;

constexpr store::DatabaseOptions kAfterAnswer = {.busy_timeout =
                                                     std::chrono::seconds(5)};
constexpr store::DatabaseOptions kInterrupted = {
    .busy_timeout = std::chrono::milliseconds(500)};
// While someone waits for the answer.
constexpr store::DatabaseOptions kMeanwhile = {
    .busy_timeout = std::chrono::milliseconds(500)};
constexpr store::DatabaseOptions kUnderCeiling = {
    .durability = store::Durability::kFull,
    .busy_timeout = std::chrono::seconds(30)};

}  // namespace

Result<LedgerBook> LedgerBook::open(const std::string& id,
                                    const RunOptions& options, Routed& routed,
                                    const base::Environment& environment,
                                    const Messages& messages) {
  const auto& tags = options.routing.tags;
  LedgerBook book(routed, messages, decision_row(id, "run", taken_of(routed)));
  book.decision_.run = options.ledger.run;
  book.learns_ = options.ledger.learn;
  book.strict_ = options.ledger.strict;
  book.session_ = options.ledger.session;
  book.ceilings_ = shared_ceilings(*routed.config, tags);
  if (options.ledger.run) {
    const auto& limit = routed.config->limits.max_cost;
    if (limit) book.ceilings_.push_back({store::Window::kRun, "", *limit});
  }
  const auto place = ledger_place(options.ledger, environment);
  book.off_ = !place;
  if (book.off_ && !book.ceilings_.empty()) return ledger_is_off();
  if (book.off_ && book.strict_) return not_strict(true, {});
  if (book.off_) return book;
  book.path_ = store::ledger_path(*place);
  book.at_hand_ = std::exchange(routed.ledger, std::nullopt);
  book.holds_ = routed.config->limits.ceiling.has_value();
  if (!book.path_ && (book.holds_ || is_unsafe(book.path_))) {
    return book.path_.error();
  }
  if (book.holds_) {
    Status opened = book.open_ledger(book.under_ceiling());
    // It counts as well.
    if (opened) opened = import_spilled(*book.ledger_, messages);
    if (!opened) {
      return base::with_context("nothing was sent: a ceiling needs the ledger",
                                opened.error());
    }
  } else if (book.strict_) {
    const Status opened = book.open_ledger(kAfterAnswer);
    if (!opened) return not_strict(false, opened);
  }
  return book;
}

// No longer than the whole request may take.
store::DatabaseOptions LedgerBook::under_ceiling() const {
  store::DatabaseOptions options = kUnderCeiling;
  options.busy_timeout =
      std::min(options.busy_timeout, routed_.config->limits.total);
  return options;
}

Result<store::Ledger> LedgerBook::take_ledger(
    const store::DatabaseOptions& options) {
  if (!at_hand_) return store::Ledger::open(*path_, options);
  store::Database& database = at_hand_->database();
  database.set_busy_timeout(options.busy_timeout);
  LLMROUTE_CHECK(database.set_durability(options.durability));
  return *std::exchange(at_hand_, std::nullopt);
}

Status LedgerBook::open_ledger(const store::DatabaseOptions& options) {
  if (!path_) return path_.error();
  LLMROUTE_TRY(store::Ledger ledger, take_ledger(options));
  ledger_.emplace(std::move(ledger));
  warn_of_network(*ledger_, messages_);
  if (holds_) warn_of_clock(*ledger_, messages_);
  if (learns_) ledger_->teach(learner_.get());
  LLMROUTE_TRY(decision_.prompt_hash,
               ledger_->prompt_hash(hashed_text(routed_.prompt)));
  LLMROUTE_TRY(
      decision_.shared_inputs,
      keep_shared_inputs(*ledger_, *routed_.config, routed_.analyzer->sha256(),
                         routed_.decider->circumstances()));
  return {};
}

// What it takes to decide again: after the answer if it can wait.
void LedgerBook::fill_decision() {
  if (decision_.inputs) return;
  add_retake(taken_of(routed_), decision_);
}

void LedgerBook::decided_again() {
  store::DecisionRow row =
      decision_row(decision_.id, decision_.command, taken_of(routed_));
  row.run = std::move(decision_.run);
  row.prompt_hash = std::move(decision_.prompt_hash);
  row.shared_inputs = std::move(decision_.shared_inputs);
  decision_ = std::move(row);
}

Status LedgerBook::record() {
  LLMROUTE_CHECK(ledger_->record(decision_, pending_, wall_ms()));
  pending_.clear();
  return {};
}

Status LedgerBook::put_aside(const Attempt& asked) {
  fill_decision();
  if (!pending_.empty()) LLMROUTE_CHECK(record());
  LLMROUTE_TRY(const store::AttemptRow row,
               row_to_hold(routed_.decision, asked, asked.number));
  return store::hold(*ledger_, decision_, row, ceilings_, wall_ms());
}

// Without the ledger nothing is known of others, and it may be asked.
bool LedgerBook::claims_probe(const core::Candidate& candidate) {
  if (off_ || !learns_) return true;
  if (!ledger_ && !open_ledger(kMeanwhile)) return true;
  const auto claimed = store::claim_probe(
      *ledger_, statistics_key(*candidate.provider, candidate.model->name),
      wall_ms());
  return !claimed || *claimed;
}

bool LedgerBook::allows(const core::Candidate& candidate, bool again) {
  const std::string& model = candidate.model->name;
  if (known_.experience.held.contains(model)) return false;
  if (known_.half_open.contains(model)) {
    // One attempt is the probe, and no other follows it.
    known_.half_open.erase(model);
    known_.experience.held[model] = "its probe is under way";
    return claims_probe(candidate);
  }
  const auto breaker = known_.breakers.find(model);
  return again || breaker == known_.breakers.end() ||
         breaker->second.allows(breaker_time(wall_ms()));
}

std::chrono::milliseconds LedgerBook::wait_left(
    const core::Candidate& candidate) {
  const auto hold = known_.holds.find(candidate.model->name);
  if (hold == known_.holds.end()) return std::chrono::milliseconds(0);
  return std::chrono::milliseconds(
      std::max<int64_t>(0, hold->second - wall_ms()));
}

// The other models of the key, for the rest of this request.
void LedgerBook::hold_others(const Attempt& attempt) {
  const bool held =
      known_.experience.held.contains(attempt.candidate->model->name);
  hold_key(*routed_.config, *attempt.candidate->provider,
           "its key was asked to wait", known_.experience.held);
  // It may be asked again itself, after the wait.
  if (!held) known_.experience.held.erase(attempt.candidate->model->name);
}

// Whether others should know of it at once.
bool LedgerBook::changes_health(const Attempt& attempt) {
  if (attempt.outrun) return false;
  core::Breaker& breaker = known_.breakers[attempt.candidate->model->name];
  const core::Breaker::Time now = breaker_time(wall_ms());
  if (!attempt.failure) {
    breaker.succeed(now, true);
    return false;
  }
  if (attempt.failure->kind == core::FailureClass::kThrottled &&
      attempt.failure->retry_after) {
    learner_->expect_hold(decision_.id, attempt.number,
                          *attempt.failure->retry_after);
    hold_others(attempt);
    return true;
  }
  return is_countable(attempt.failure->kind) &&
         breaker.fail(now, true, system_random());
}

std::optional<std::chrono::milliseconds> LedgerBook::patience(
    const core::Candidate& candidate) {
  const std::string& model = candidate.model->name;
  // A probe is waited for, and without the ledger hedges cannot be counted.
  if (off_ || known_.experience.held.contains(model)) return std::nullopt;
  return patience_with(known_, model);
}

// Only beside a model of which nothing bad is known.
Status LedgerBook::put_hedge(const Attempt& asked) {
  const std::string& model = asked.candidate->model->name;
  if (known_.half_open.contains(model) || !allows(*asked.candidate, false)) {
    return Error{ErrorKind::kTryLater, model + " keeps failing"};
  }
  if (!ledger_) LLMROUTE_CHECK(open_ledger(kMeanwhile));
  ledger_->database().set_busy_timeout(kMeanwhile.busy_timeout);
  Status held = put_aside(asked);
  if (holds_)
    ledger_->database().set_busy_timeout(under_ceiling().busy_timeout);
  return held;
}

Status LedgerBook::before(const Attempt& asked) {
  if (asked.hedge) return put_hedge(asked);
  if (!holds_) return {};
  Status held = put_aside(asked);
  if (!held && held.error().kind != ErrorKind::kBudget) usable_ = held;
  return held;
}

void LedgerBook::after(const Attempt& attempt, const core::Reply* reply) {
  pending_.push_back(
      attempt_row(routed_.decision, attempt, reply, attempt.number));
  if (!changes_health(attempt) || off_ || !learns_) return;
  if (ledger_ || open_ledger(kMeanwhile)) (void)record();
}

Status LedgerBook::write(const store::DatabaseOptions& options) {
  if (!ledger_) LLMROUTE_CHECK(open_ledger(options));
  LLMROUTE_CHECK(import_spilled(*ledger_, messages_));
  LLMROUTE_CHECK(record());
  (void)store::forget_oldest(*ledger_, wall_ms());  // else by the next run
  return {};
}

Status LedgerBook::remember_session(const Answered& answered) {
  if (!session_ || !answered.reply) return {};
  return store::put_session(
      ledger_->database(),
      {*session_, decision_.time, answered.by->model->name,
       answered.reply->usage.input.value_or(answered.by->input_tokens)});
}

// What checks said, of each attempt.
Status LedgerBook::learn_verdicts(const Answered& answered) {
  if (!learns_) return {};
  for (const Attempt& attempt : answered.attempts) {
    if (!attempt.verdict) continue;
    LLMROUTE_CHECK(ledger_->put_verdict(decision_.id, attempt.number,
                                        *attempt.verdict ? 1 : 0, wall_ms()));
  }
  return {};
}

Status LedgerBook::finish(const Answered& answered, int exit,
                          size_t answer_bytes) {
  if (off_) return {};
  fill_decision();
  decision_.exit = exit;
  if (answered.reply) {
    decision_.finish = core::finish_name(answered.reply->finish);
    answer_bytes = answered.reply->bytes();
  }
  decision_.answer_bytes = static_cast<int64_t>(answer_bytes);
  decision_.ms = answered.took.count();
  const store::DatabaseOptions& options =
      exit > 128 ? kInterrupted : kAfterAnswer;
  if (ledger_) ledger_->database().set_busy_timeout(options.busy_timeout);
  const Status written = usable_ ? write(options) : usable_;
  if (written) {
    (void)learn_verdicts(answered);
    (void)remember_session(answered);
    return {};
  }
  store::Recorded lost{decision_, pending_};
  Status spilled = spill(path_, std::span(&lost, 1), written,
                         "this run is not in the ledger");
  if (strict_) return spilled;
  if (!spilled) messages_.warn(spilled.error().message);
  return {};
}

}  // namespace llmroute::app
