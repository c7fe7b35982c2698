// What a failed attempt of the dispatcher leads to.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "app/attempt.h"
#include "app/batch_dispatch.h"

namespace llmroute::app {
namespace {

using core::Failure;
using core::FailureClass;
using std::chrono::milliseconds;

constexpr milliseconds kLongestModelHold{3'600'000};

double seconds_between(BatchItem::Time from, BatchItem::Time to) {
  return std::chrono::duration<double>(to - from).count();
}

bool is_throttled(const Failure& failure) {
  return failure.kind == FailureClass::kThrottled &&
         failure.should_retry != false;
}

bool is_transient(const Failure& failure) {
  return failure.should_retry == true ||
         (failure.kind == FailureClass::kTransient &&
          failure.should_retry != false);
}

}  // namespace

using Time = BatchItem::Time;

void BatchDispatcher::fail(std::unique_ptr<BatchItem> item, Failure failure,
                           Time now) {
  const core::Candidate& by = item->asked_of();
  ModelState& model = state_of(by);
  if (failure.kind == FailureClass::kCancelled) return drop(*item);
  if (failure.kind == FailureClass::kLocal) {
    model.breaker.forget(item->probe);
    lower_jobs(failure, item->started);
    return enqueue(std::move(item), true);
  }
  count_failure(model, failure, item->probe, now);
  if (failure.kind == FailureClass::kNotAllowed ||
      failure.kind == FailureClass::kNoMoney) {
    switch_off(*model.provider, by.provider->name, failure);
  }
  const bool retryable = is_transient(failure) || is_throttled(failure);
  if (retryable && failure.retry_after > limits_.retries.longest_hint) {
    hold(model, *failure.retry_after, now);
  }
  item->last_failure = failure;
  if (hopeless_) return end_in_vain(std::move(item), std::move(failure));
  if (wait_for_provider(item, model, failure, now)) return;
  Attempt attempt;
  attempt.candidate = &by;
  attempt.took = item->took(now);
  attempt.failure = failure;
  item->used += attempt.took;
  const size_t candidate = item->candidate;
  const auto next =
      item->plan->after(candidate, std::move(attempt), time_left(*item));
  if (next && next->candidate == candidate) {
    ++retries_;
    item->used += next->wait;
    const Time due = retry_time(model, failure, next->wait, now);
    return delay(std::move(item), due);
  }
  item->failed[candidate] = true;
  if (!item->plan->over()) return enqueue(std::move(item), true);
  if (model.provider->off || model.held_until > now) {
    return nobody_left(std::move(item));
  }
  give_up(std::move(item));
}

void BatchDispatcher::count_failure(ModelState& model, const Failure& failure,
                                    bool probe, Time now) {
  const bool transient = is_transient(failure);
  if ((transient || is_throttled(failure)) && !failing_since_) {
    failing_since_ = now;
  }
  if (!transient) return model.breaker.forget(probe);
  if (!model.breaker.fail(now, probe, system_random())) return;
  messages_.warn(fmt::format("{} keeps failing ({}); left alone for {:.0f} s{}",
                             model.model->name, failure.message,
                             seconds_between(now, model.breaker.until()),
                             end_of_it(now)));
  requeue_blocked();
}

// While nobody may be asked: when it gives up.
std::string BatchDispatcher::end_of_it(Time now) const {
  const bool somebody =
      std::any_of(models_.begin(), models_.end(), [now](const auto& entry) {
        const ModelState& model = entry.second;
        return !model.provider->off && model.breaker.allows(now);
      });
  if (somebody || !failing_since_) return "";
  return fmt::format("; the batch stops in {:.0f} s unless somebody answers",
                     seconds_between(now, *failing_since_ + limits_.give_up));
}

void BatchDispatcher::switch_off(ProviderState& provider,
                                 const std::string& name,
                                 const Failure& failure) {
  if (provider.off) return;
  provider.off = base::Error{
      base::ErrorKind::kNoPermission,
      fmt::format("{} is not asked any more: {}", name, failure.message)};
  if (anybody(std::chrono::steady_clock::now())) {
    messages_.warn(provider.off->message);
  }
  for (auto& [key, model] : models_) {
    if (model.provider == &provider) requeue(model);
  }
}

// Descriptors, memory or threads are short: with fewer at a time it may do.
// Those that were under way together are one sign of it.
void BatchDispatcher::lower_jobs(const Failure& failure, Time started) {
  if (started < jobs_lowered_) return;
  if (limits_.jobs == 1) {
    if (running_.empty()) stop({base::ErrorKind::kOs, failure.message});
    return;
  }
  jobs_lowered_ = std::chrono::steady_clock::now();
  limits_.jobs =
      std::min<int>(limits_.jobs, static_cast<int>(running_.size()) + 1);
  limits_.jobs = std::max(1, limits_.jobs / 2);
  messages_.warn(fmt::format("{}; from now on {} at a time", failure.message,
                             limits_.jobs));
}

// All models of the key, if its limit is one.
void BatchDispatcher::hold(ModelState& model, milliseconds wait, Time now) {
  hold_one(model, wait, now);
  if (!model.provider->one_limit) return;
  for (auto& [key, other] : models_) {
    if (other.provider == model.provider) hold_one(other, wait, now);
  }
}

// What waits for it goes to others if that is too long for a record.
void BatchDispatcher::hold_one(ModelState& model, milliseconds wait, Time now) {
  const Time until = now + std::min(wait, kLongestModelHold);
  if (until <= model.held_until) return;
  model.held_until = until;
  model.long_hold = wait > limits_.retries.longest_hint + milliseconds(1000);
  if (model.long_hold) requeue(model);
}

// Waits that do not count as attempts: a provider that asks for time, and an
// outage of everybody. True: `item` was taken.
bool BatchDispatcher::wait_for_provider(std::unique_ptr<BatchItem>& item,
                                        ModelState& model,
                                        const Failure& failure, Time now) {
  const bool throttled = is_throttled(failure);
  if (!throttled && !(is_transient(failure) && in_outage(*item))) return false;
  if (!item->plan->possible(item->candidate)) return false;
  if (throttled && now - item->since > limits_.longest_holds &&
      !in_outage(*item)) {
    return false;
  }
  const int tried =
      throttled ? count_throttles(model, *item, now) : item->uncounted + 1;
  const auto wait = retry_wait(limits_.retries, failure, tried, system_random);
  if (!wait) return false;
  ++item->uncounted;
  ++retries_;
  if (throttled) {
    hold(model, *wait, now);
    enqueue(std::move(item), true);
  } else {
    const Time due = retry_time(model, failure, *wait, now);
    delay(std::move(item), due);
  }
  return true;
}

// While nobody has answered since the record was first asked, its failures say
// nothing about it.
bool BatchDispatcher::in_outage(const BatchItem& item) const {
  return !last_success_ || *last_success_ < item.since;
}

// How often in a row it was throttled; requests that were under way together
// count once.
int BatchDispatcher::count_throttles(ModelState& model, const BatchItem& item,
                                     Time now) {
  if (item.started >= model.throttled) ++model.throttled_in_a_row;
  model.throttled = now;
  return model.throttled_in_a_row;
}

// Without a budget for retries left, the provider is held instead.
Time BatchDispatcher::retry_time(ModelState& model, const Failure& failure,
                                 milliseconds wait, Time now) {
  ProviderState& provider = *model.provider;
  if (!provider.pace.spend_retry(failure.timed_out)) {
    const auto hold = retry_wait(limits_.retries, failure,
                                 ++provider.holds_in_a_row, system_random);
    provider.pace.hold(now + hold.value_or(limits_.retries.cap));
  }
  return now + wait;
}

// Every candidate is off, has failed or holds for long: with the whole batch
// so, it stops, to be resumed; else it is this record's own matter.
void BatchDispatcher::nobody_left(std::unique_ptr<BatchItem> item) {
  const Time now = std::chrono::steady_clock::now();
  const auto chain = item->decision.chain();
  const auto off = std::find_if(chain.begin(), chain.end(), [this](auto& one) {
    return state_of(one).provider->off.has_value();
  });
  if (!anybody(now)) {
    drop(*item);
    return stop(off != chain.end() ? *state_of(*off).provider->off
                                   : long_wait(now));
  }
  if (item->plan->attempts().empty()) {
    Attempt none;
    none.candidate = &*off;
    none.failure = no_key(*state_of(*off).provider->off);
    item->plan->last(std::move(none));
  }
  give_up(std::move(item));
}

// Nobody answers, and nobody else is left who could tell why.
void BatchDispatcher::end_in_vain(std::unique_ptr<BatchItem> item,
                                  Failure failure) {
  Attempt attempt;
  attempt.candidate = &item->asked_of();
  attempt.failure = std::move(failure);
  item->plan->last(std::move(attempt));
  if (item->uncounted > 0) --item->uncounted;  // it was counted as one
  give_up(std::move(item));
}

// Whether some model is neither off nor held for long.
bool BatchDispatcher::anybody(Time now) const {
  return std::any_of(models_.begin(), models_.end(), [now](const auto& entry) {
    const ModelState& model = entry.second;
    return !model.provider->off && !(model.long_hold && model.held_until > now);
  });
}

}  // namespace llmroute::app
