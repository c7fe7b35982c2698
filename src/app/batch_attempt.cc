// One attempt of the dispatcher, from its start to what it came to.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "app/answer_check.h"
#include "app/attempt.h"
#include "app/batch_dispatch.h"
#include "app/batch_record.h"
#include "app/batch_summary.h"
#include "app/ceilings.h"
#include "app/whole_answer.h"
#include "config/keys.h"
#include "routing/estimate.h"

namespace llmroute::app {

using core::Failure;
using core::FailureClass;
using std::chrono::milliseconds;

namespace {

// Answers are taken in between.
constexpr milliseconds kBookInUse{100};

// What the record asks of its answer.
base::Status will_do(const BatchItem& item, const core::Reply& reply) {
  const core::Parameters& asked = item.record.prompt.parameters;
  if (asked.schema.empty()) return {};
  LLMROUTE_CHECK(whole_answer(reply, item.asked_of(), asked.max_tokens));
  return fits_schema(asked.schema, reply);
}

}  // namespace

// False: there is no money for it, now or for good, or nobody can tell at the
// moment.
bool BatchDispatcher::start_front(ModelState& model, Time now) {
  BatchItem& item = *model.queue.front();
  const core::Money worst = item.asked_of().worst_cost.value_or(core::Money{});
  const base::Result<bool> aside = put_aside(item, worst);
  if (aside && !*aside) {
    book_in_use_ = std::chrono::steady_clock::now() + kBookInUse;
    return false;
  }
  if (!aside) {
    const bool money = aside.error().kind == base::ErrorKind::kBudget;
    if (money && item.rejected) {  // what it has must do
      auto owned = std::move(model.queue.front());
      model.queue.pop_front();
      --waiting_;
      give_up(std::move(owned));
      return true;
    }
    if (!money) {
      stop(aside.error());
    } else if (!waits_for_money(model)) {
      if (make_do(item)) return true;  // it is still in front
      stop_for_money(item.record, aside.error());
    }
    return false;
  }
  item.hold = worst;
  auto owned = std::move(model.queue.front());
  model.queue.pop_front();
  --waiting_;
  start(std::move(owned), model, now);
  return true;
}

bool BatchDispatcher::waits_for_money(ModelState& model) {
  short_of_money_ = !running_.empty();  // settled for less, perhaps
  return short_of_money_ || waits_for_cheaper(model);
}

// As `run` would: with a lower limit, if a sensible answer still fits.
bool BatchDispatcher::make_do(BatchItem& item) {
  if (!budget_.ceiling()) return false;
  core::Candidate& candidate = item.decision.candidates[item.candidate];
  expect_length(candidate, totals_);
  return routing::lower_cap(item.record.prompt, budget_.left(), candidate);
}

void BatchDispatcher::stop_for_money(const batch::Record& record,
                                     base::Error why) {
  const auto needed = budget_.ceiling() ? needs_(record) : std::nullopt;
  if (!needed || *needed <= budget_.left()) return stop(std::move(why));
  const core::Money ceiling = (budget_.settled() + *needed) * limits_.shards;
  stop({base::ErrorKind::kBudget,
        fmt::format("{}, and the next record (line {}) needs --max-cost {} or "
                    "more",
                    spent_text(totals_, budget_.settled(), *budget_.ceiling()),
                    record.line, core::format_usd(rounded_up(ceiling)))});
}

// The first record of the queue came from a cheaper model, which is left alone
// for a while: it goes back.
bool BatchDispatcher::waits_for_cheaper(ModelState& model) {
  BatchItem& item = *model.queue.front();
  const auto worst = item.asked_of().worst_cost;
  for (size_t i = 0; i < item.candidate; ++i) {
    const core::Candidate& earlier = item.decision.candidates[i];
    if (!usable(item, i) || !(earlier.worst_cost < worst)) continue;
    item.candidate = i;
    state_of(earlier).queue.push_back(std::move(model.queue.front()));
    model.queue.pop_front();
    return true;
  }
  return false;
}

base::Result<bool> BatchDispatcher::put_aside(BatchItem& item,
                                              core::Money worst) {
  if (budget_.ceiling() && !budget_.hold(worst)) {
    return base::Error{
        base::ErrorKind::kBudget,
        fmt::format("{}, and the next record may cost {}",
                    spent_text(totals_, budget_.settled(), *budget_.ceiling()),
                    core::display_usd(worst))};
  }
  const base::Result<bool> held = book_.before(item);
  const bool may_go = held && *held;
  if (!may_go && budget_.ceiling()) budget_.settle(worst, {});
  return held;
}

void BatchDispatcher::start(std::unique_ptr<BatchItem> item, ModelState& model,
                            Time now) {
  BatchItem* key = item.get();
  const core::Candidate& candidate = item->asked_of();
  item->started = now;
  if (item->since == Time{}) item->since = now;
  item->tokens = candidate.input_tokens + candidate.output_tokens;
  item->probe = model.breaker.start(now);
  if (item->probe) requeue_blocked();
  model.provider->pace.start(item->tokens, now);
  auto call = call_for(*item);
  const base::Status told = call ? tell_sending(*item) : base::Status();
  running_.emplace(key, std::move(item));
  if (!told) {
    stop(told.error());
    return done(key, [] {
      Failure failure;
      failure.kind = FailureClass::kCancelled;
      return failure;
    }());
  }
  if (!call) return done(key, no_key(call.error()));
  calls_.start(*std::move(call), [this, key](provider::CallResult result) {
    done(key, std::move(result));
  });
}

base::Result<provider::Call> BatchDispatcher::call_for(BatchItem& item) {
  const core::Candidate& candidate = item.asked_of();
  ProviderState& state = state_of(*candidate.provider);
  if (!state.key) {
    LLMROUTE_TRY(state.key,
                 config::resolve_key(*candidate.provider, environment_));
    redact_secrets(*candidate.provider, *state.key);
  }
  const core::Limits& limits = limits_.call;
  const milliseconds total = std::max(milliseconds(1), time_left(item));
  return provider::Call{
      *candidate.provider,
      *candidate.model,
      item.prompt(),
      *state.key,
      cap_to_send(candidate, item.prompt(),
                  budget_.ceiling() || item.ceiling || !item.ceilings.empty()),
      false,
      // A whole reply comes at once, at its end.
      {limits.connect, total, limits.idle, total},
      {}};
}

milliseconds BatchDispatcher::time_left(const BatchItem& item) const {
  const auto& own = item.record.overrides.timeout;
  return own.value_or(limits_.call.total) - item.used;
}

// What earlier attempts were not charged for pays for this one too.
base::Status BatchDispatcher::tell_sending(BatchItem& item) {
  const core::Money most = item.spent + item.hold;
  if (!budget_.ceiling() || most <= item.told) return {};
  LLMROUTE_CHECK(sending_(item.record.line, most - item.told));
  item.told = most;
  return {};
}

// Ends without a result: what it did not cost is left to later runs.
void BatchDispatcher::drop(BatchItem& item) {
  book_.end(item);
  if (item.told <= item.spent) return;
  const base::Status told = sending_(item.record.line, item.spent - item.told);
  if (!told) stop(told.error());
}

void BatchDispatcher::done(BatchItem* running, provider::CallResult result) {
  const Time now = std::chrono::steady_clock::now();
  auto owned = running_.extract(running);
  std::unique_ptr<BatchItem> item = std::move(owned.mapped());
  ModelState& model = state_of(item->asked_of());
  redact_names(result);
  auto* reply = std::get_if<core::Reply>(&result);
  if (reply != nullptr && !item->record.prompt.parameters.may_call()) {
    reply->tool_calls.clear();  // a call is no answer where none was asked for
  }
  std::optional<int64_t> tokens;
  if (reply != nullptr && reply->usage.complete()) {
    tokens = *reply->usage.input + *reply->usage.output;
  }
  model.provider->pace.end(item->tokens, tokens);
  item->asked += item->took(now);
  settle(*item, result);
  Attempt attempt;
  attempt.candidate = &item->asked_of();
  attempt.took = item->took(now);
  if (const auto* failure = std::get_if<Failure>(&result)) {
    attempt.failure = *failure;
  }
  book_.after(*item, attempt, reply);
  short_of_money_ = false;
  if (reply != nullptr) return succeed(std::move(item), std::move(*reply), now);
  fail(std::move(item), std::get<Failure>(std::move(result)), now);
}

void BatchDispatcher::settle(BatchItem& item,
                             const provider::CallResult& result) {
  const core::Candidate& candidate = item.asked_of();
  std::optional<core::Money> cost = core::Money{};
  bool estimated = false;
  if (const auto* reply = std::get_if<core::Reply>(&result)) {
    cost = core::cost_of(*candidate.model, reply->usage);
    estimated = !cost;
  } else if (may_have_cost(std::get<Failure>(result))) {
    cost.reset();
    estimated = true;
  }
  if (!cost) cost = candidate.worst_cost;
  item.cost_unknown = item.cost_unknown || !cost;
  item.cost_estimated = item.cost_estimated || (estimated && cost);
  const core::Money spent = cost.value_or(core::Money{});
  item.spent += spent;
  if (spent != core::Money{})
    item.spent_on.emplace_back(candidate.model, spent);
  item.plan->charge(spent);
  if (budget_.ceiling()) {
    budget_.settle(item.hold, spent);
  } else {
    budget_.settle({}, spent);
  }
}

void BatchDispatcher::succeed(std::unique_ptr<BatchItem> item,
                              core::Reply reply, Time now) {
  const core::Candidate& by = item->asked_of();
  ModelState& model = state_of(by);
  const bool was_open =
      model.breaker.state(now) != core::Breaker::State::kClosed;
  model.breaker.succeed(now, item->probe);
  if (was_open) requeue_blocked();
  if (reply.rate_limit.wait.count() > 0) {
    hold(model, reply.rate_limit.wait, now);
  }
  model.provider->pace.succeed();
  model.provider->holds_in_a_row = 0;
  model.throttled_in_a_row = 0;
  last_success_ = now;
  failing_since_.reset();
  const base::Status good = will_do(*item, reply);
  if (!good) {
    return reject(std::move(item), std::move(reply), good.error(), now);
  }
  Attempt attempt;
  attempt.candidate = &by;
  attempt.took = item->took(now);
  item->plan->last(std::move(attempt));
  Answered answered;
  answered.reply = std::move(reply);
  answered.by = &by;
  answered.attempts = item->plan->take_attempts();
  finished_(std::move(item), std::move(answered));
}

// As `run` does, asks who is stronger in general, if there is anybody.
void BatchDispatcher::reject(std::unique_ptr<BatchItem> item, core::Reply reply,
                             base::Error why, Time now) {
  Attempt attempt;
  attempt.candidate = &item->asked_of();
  attempt.took = item->took(now);
  attempt.rejected = why.message;
  attempt.cost = core::Money{};  // settle() has told the plan
  item->used += attempt.took;
  item->failed[item->candidate] = true;
  item->rejected = {std::move(reply), attempt.candidate, std::move(why)};
  (void)item->plan->after_rejection(item->candidate, std::move(attempt),
                                    time_left(*item));
  if (item->plan->over()) return give_up(std::move(item));
  enqueue(std::move(item), true);
}

void BatchDispatcher::give_up(std::unique_ptr<BatchItem> item) {
  Answered answered;
  answered.attempts = item->plan->take_attempts();
  answered.by = answered.attempts.back().candidate;
  if (item->rejected) {
    answered.reply = std::move(item->rejected->reply);
    answered.by = item->rejected->by;
    answered.rejected = std::move(item->rejected->why);
  }
  finished_(std::move(item), std::move(answered));
}

}  // namespace llmroute::app
