#include "app/batch_dispatch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "app/attempt.h"
#include "base/text.h"
#include "config/keys.h"

namespace llmroute::app {
namespace {

using core::Failure;
using core::FailureClass;
using std::chrono::milliseconds;
using Time = BatchItem::Time;

// A hold that a provider asks for is waited for up to that long in all.
constexpr milliseconds kLongestHolds{600'000};
constexpr milliseconds kLongestModelHold{3'600'000};

milliseconds since(Time then, Time now) {
  return std::chrono::duration_cast<milliseconds>(now - then);
}

const core::Candidate& asked_of(const BatchItem& item) {
  return item.decision.candidates[item.candidate];
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

BatchDispatcher::BatchDispatcher(DispatchLimits limits, batch::Budget& budget,
                                 provider::CallLoop& calls,
                                 const base::Environment& environment,
                                 const Messages& messages, Finished finished,
                                 Sending sending)
    : limits_(std::move(limits)),
      budget_(budget),
      calls_(calls),
      environment_(environment),
      messages_(messages),
      finished_(std::move(finished)),
      sending_(std::move(sending)) {}

BatchDispatcher::ProviderState& BatchDispatcher::state_of(
    const core::Provider& provider) {
  const auto found = providers_.find(&provider);
  if (found != providers_.end()) return found->second;
  batch::PaceLimits limits;
  limits.concurrency = provider.concurrency;
  limits.requests_per_minute = provider.requests_per_minute
                                   ? provider.requests_per_minute
                                   : limits_.requests_per_minute;
  limits.tokens_per_minute = provider.tokens_per_minute
                                 ? provider.tokens_per_minute
                                 : limits_.tokens_per_minute;
  return providers_.emplace(&provider, ProviderState(limits)).first->second;
}

BatchDispatcher::ModelState& BatchDispatcher::state_of(
    const core::Candidate& candidate) {
  ModelState& model = models_[candidate.model];
  model.model = candidate.model;
  model.provider = &state_of(*candidate.provider);
  return model;
}

// From when on the model may be asked, as far as is known: the end of a probe
// is not.
Time BatchDispatcher::open_from(const ModelState& model, Time now) {
  if (model.breaker.probing()) return Time::max();
  Time from = now;
  if (!model.breaker.allows(now)) from = model.breaker.until();
  return model.long_hold ? std::max(from, model.held_until) : from;
}

// May not be asked, or not before others have been tried.
bool BatchDispatcher::blocked(const core::Candidate& candidate) {
  const ModelState& model = state_of(candidate);
  const Time now = std::chrono::steady_clock::now();
  return model.provider->off.has_value() || open_from(model, now) > now;
}

void BatchDispatcher::add(std::unique_ptr<BatchItem> item) {
  for (const core::Candidate& one : item->decision.chain()) state_of(one);
  item->failed.resize(item->decision.chain().size());
  item->ceiling = item->record.overrides.max_cost;
  if (const auto& most = limits_.call.max_cost) {
    item->ceiling = std::min(item->ceiling.value_or(*most), *most);
  }
  item->plan.emplace(
      item->decision, limits_.retries, item->ceiling,
      [this](const core::Candidate& candidate) { return blocked(candidate); });
  enqueue(std::move(item), false);
}

// The first who may be asked now, else who may be soonest; nothing: nobody.
std::optional<size_t> BatchDispatcher::choose(const BatchItem& item) {
  const Time now = std::chrono::steady_clock::now();
  const auto candidates = item.decision.chain();
  std::optional<size_t> chosen;
  Time soonest = Time::max();
  for (size_t i = 0; i < candidates.size() && soonest > now; ++i) {
    const ModelState& model = state_of(candidates[i]);
    if (model.provider->off || item.failed[i] || !item.plan->possible(i)) {
      continue;
    }
    const Time from = open_from(model, now);
    if (chosen && from >= soonest) continue;
    chosen = i;
    soonest = from;
  }
  return chosen;
}

void BatchDispatcher::enqueue(std::unique_ptr<BatchItem> item, bool in_front) {
  const auto chosen = choose(*item);
  if (!chosen) return nobody_left(std::move(item));
  item->candidate = *chosen;
  auto& queue = state_of(asked_of(*item)).queue;
  ++waiting_;
  if (in_front) {
    queue.push_front(std::move(item));
  } else {
    queue.push_back(std::move(item));
  }
}

void BatchDispatcher::delay(std::unique_ptr<BatchItem> item, Time due) {
  BatchItem* key = item.get();
  ++waiting_;
  delayed_.emplace(key, std::move(item));
  due_.push({due, ++numbers_, key});
}

// What waits for this model may go elsewhere now.
void BatchDispatcher::requeue(ModelState& model) {
  std::deque<std::unique_ptr<BatchItem>> queue = std::exchange(model.queue, {});
  waiting_ -= queue.size();
  for (auto& item : queue) enqueue(std::move(item), false);
}

// A probe has begun or ended: who waits for others may be better off elsewhere.
void BatchDispatcher::requeue_blocked() {
  const Time now = std::chrono::steady_clock::now();
  for (auto& [key, model] : models_) {
    if (open_from(model, now) > now) requeue(model);
  }
}

bool BatchDispatcher::may_start(const ModelState& model, Time now) const {
  return running_.size() < static_cast<size_t>(limits_.jobs) &&
         model.held_until <= now && model.breaker.allows(now) &&
         model.provider->pace.ready() <= now;
}

void BatchDispatcher::dispatch(Time now) {
  while (!due_.empty() && due_.top().due <= now) {
    auto owned = delayed_.extract(due_.top().item);
    due_.pop();
    --waiting_;
    enqueue(std::move(owned.mapped()), true);
  }
  if (running_.empty() && waiting_ == 0) failing_since_.reset();
  if (failing_since_ && now - *failing_since_ >= limits_.give_up) {
    stop({base::ErrorKind::kTryLater,
          fmt::format(
              "nobody has answered for {:.0f} s",
              std::chrono::duration<double>(now - *failing_since_).count())});
  }
  if (models_.empty()) return;
  // A different model first each time, so that none is starved of jobs.
  auto at = std::next(models_.begin(),
                      static_cast<std::ptrdiff_t>(turn_++ % models_.size()));
  for (size_t i = 0; i < models_.size(); ++i) {
    ModelState& model = at->second;
    while (!stopped_ && !model.queue.empty() && may_start(model, now)) {
      if (!start_front(model, now)) break;
    }
    if (++at == models_.end()) at = models_.begin();
  }
  if (all_held(now)) stop(long_wait(now));
}

// Whether every record waits for somebody who holds for longer than a record
// may wait.
bool BatchDispatcher::all_held(Time now) const {
  return waiting_ > 0 && running_.empty() && delayed_.empty() &&
         std::all_of(models_.begin(), models_.end(), [now](const auto& entry) {
           const ModelState& model = entry.second;
           return model.queue.empty() || model.held_until > now + kLongestHolds;
         });
}

base::Error BatchDispatcher::long_wait(Time now) const {
  const auto longest = std::max_element(
      models_.begin(), models_.end(), [](const auto& a, const auto& b) {
        return a.second.held_until < b.second.held_until;
      });
  const ModelState& model = longest->second;
  return {base::ErrorKind::kTryLater,
          fmt::format(
              "{} asks to wait {:.0f} s", model.model->name,
              std::chrono::duration<double>(model.held_until - now).count())};
}

// False: there is no money for it, now or for good. Its token limit is not
// lowered to what is left: the answer would be cut, and the money spent.
bool BatchDispatcher::start_front(ModelState& model, Time now) {
  BatchItem& item = *model.queue.front();
  const core::Money worst = asked_of(item).worst_cost.value_or(core::Money{});
  if (budget_.ceiling() && !budget_.hold(worst)) {
    short_of_money_ = !running_.empty();  // settled for less, perhaps
    if (short_of_money_) return false;
    stop({base::ErrorKind::kBudget,
          fmt::format("{} of the ceiling of {} are spent, and the next record "
                      "may cost {} (--max-tokens lowers that)",
                      core::display_usd(budget_.settled()),
                      core::display_usd(*budget_.ceiling()),
                      core::display_usd(worst))});
    return false;
  }
  item.hold = worst;
  auto owned = std::move(model.queue.front());
  model.queue.pop_front();
  --waiting_;
  start(std::move(owned), model, now);
  return true;
}

milliseconds BatchDispatcher::time_left(const BatchItem& item) const {
  const auto& own = item.record.overrides.timeout;
  return own.value_or(limits_.call.total) - item.used;
}

base::Result<provider::Call> BatchDispatcher::call_for(BatchItem& item) {
  const core::Candidate& candidate = asked_of(item);
  ProviderState& state = state_of(*candidate.provider);
  if (!state.key) {
    LLMROUTE_TRY(state.key,
                 config::resolve_key(*candidate.provider, environment_));
    redact_in_messages(*state.key);
  }
  const core::Limits& limits = limits_.call;
  const milliseconds total = std::max(milliseconds(1), time_left(item));
  return provider::Call{
      *candidate.provider,
      *candidate.model,
      item.prompt,
      *state.key,
      cap_to_send(candidate, item.prompt,
                  budget_.ceiling() || item.ceiling.has_value()),
      false,
      // A whole reply comes at once, at its end.
      {limits.connect, total, limits.idle, total},
      {}};
}

void BatchDispatcher::start(std::unique_ptr<BatchItem> item, ModelState& model,
                            Time now) {
  BatchItem* key = item.get();
  const core::Candidate& candidate = asked_of(*item);
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

// What earlier attempts were not charged for pays for this one too.
base::Status BatchDispatcher::tell_sending(BatchItem& item) {
  const core::Money most = item.spent + item.hold;
  if (!budget_.ceiling() || most <= item.told) return {};
  const core::Money more{most.pico - item.told.pico};
  item.told = most;
  return sending_(item.record.line, more);
}

void BatchDispatcher::settle(BatchItem& item,
                             const provider::CallResult& result) {
  const core::Candidate& candidate = asked_of(item);
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
  item.spent = item.spent + spent;
  item.plan->charge(spent);
  if (budget_.ceiling()) {
    budget_.settle(item.hold, spent);
  } else {
    budget_.settle({}, spent);
  }
}

void BatchDispatcher::done(BatchItem* running, provider::CallResult result) {
  const Time now = std::chrono::steady_clock::now();
  auto owned = running_.extract(running);
  std::unique_ptr<BatchItem> item = std::move(owned.mapped());
  ModelState& model = state_of(asked_of(*item));
  auto* reply = std::get_if<core::Reply>(&result);
  std::optional<int64_t> tokens;
  if (reply != nullptr && reply->usage.complete()) {
    tokens = *reply->usage.input + *reply->usage.output;
  }
  model.provider->pace.end(item->tokens, tokens);
  item->asked += since(item->started, now);
  settle(*item, result);
  short_of_money_ = false;
  if (reply != nullptr) return succeed(std::move(item), std::move(*reply), now);
  fail(std::move(item), std::get<Failure>(std::move(result)), now);
}

void BatchDispatcher::succeed(std::unique_ptr<BatchItem> item,
                              core::Reply reply, Time now) {
  const core::Candidate& by = asked_of(*item);
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
  Attempt attempt;
  attempt.candidate = &by;
  attempt.took = since(item->started, now);
  item->plan->last(std::move(attempt));
  Answered answered;
  answered.reply = std::move(reply);
  answered.by = &by;
  answered.attempts = item->plan->take_attempts();
  finished_(std::move(item), std::move(answered));
}

// While nobody has answered since the record was first asked, its failures say
// nothing about it.
bool BatchDispatcher::in_outage(const BatchItem& item) const {
  return !last_success_ || *last_success_ < item.since;
}

void BatchDispatcher::count_failure(ModelState& model, const Failure& failure,
                                    bool probe, Time now) {
  const bool transient = is_transient(failure);
  if ((transient || is_throttled(failure)) && !failing_since_) {
    failing_since_ = now;
  }
  if (!transient) return model.breaker.forget(probe);
  if (!model.breaker.fail(now, probe, system_random())) return;
  messages_.warn(fmt::format(
      "{} keeps failing ({}); left alone for {:.0f} s", model.model->name,
      failure.message,
      std::chrono::duration<double>(model.breaker.until() - now).count()));
  requeue_blocked();
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

// Waits that do not count as attempts: a provider that asks for time, and an
// outage of everybody. True: `item` was taken.
bool BatchDispatcher::wait_for_provider(std::unique_ptr<BatchItem>& item,
                                        ModelState& model,
                                        const Failure& failure, Time now) {
  const bool throttled = is_throttled(failure);
  if (!throttled && !(is_transient(failure) && in_outage(*item))) return false;
  if (!item->plan->possible(item->candidate)) return false;
  if (throttled && since(item->since, now) > kLongestHolds &&
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

// How often in a row it was throttled; requests that were under way together
// count once.
int BatchDispatcher::count_throttles(ModelState& model, const BatchItem& item,
                                     Time now) {
  if (item.started >= model.throttled) ++model.throttled_in_a_row;
  model.throttled = now;
  return model.throttled_in_a_row;
}

// What waits for it goes to others if that is too long for a record.
void BatchDispatcher::hold(ModelState& model, milliseconds wait, Time now) {
  const Time until = now + std::min(wait, kLongestModelHold);
  if (until <= model.held_until) return;
  model.held_until = until;
  model.long_hold = wait > limits_.retries.longest_hint + milliseconds(1000);
  if (model.long_hold) requeue(model);
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

void BatchDispatcher::fail(std::unique_ptr<BatchItem> item, Failure failure,
                           Time now) {
  const core::Candidate& by = asked_of(*item);
  ModelState& model = state_of(by);
  if (failure.kind == FailureClass::kCancelled) return;
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
  if (wait_for_provider(item, model, failure, now)) return;
  Attempt attempt;
  attempt.candidate = &by;
  attempt.took = since(item->started, now);
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

// Whether some model is neither off nor held for long.
bool BatchDispatcher::anybody(Time now) const {
  return std::any_of(models_.begin(), models_.end(), [now](const auto& entry) {
    const ModelState& model = entry.second;
    return !model.provider->off && !(model.long_hold && model.held_until > now);
  });
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

void BatchDispatcher::give_up(std::unique_ptr<BatchItem> item) {
  Answered answered;
  answered.attempts = item->plan->take_attempts();
  answered.by = answered.attempts.back().candidate;
  finished_(std::move(item), std::move(answered));
}

void BatchDispatcher::stop(base::Error why) {
  if (!stopped_) stopped_ = std::move(why);
}

BatchDispatcher::Time BatchDispatcher::next() const {
  Time soonest = Time::max();
  if (!due_.empty()) soonest = due_.top().due;
  if (failing_since_) {
    soonest = std::min(soonest, *failing_since_ + limits_.give_up);
  }
  for (const auto& [key, model] : models_) {
    if (model.queue.empty() || model.breaker.probing()) continue;
    if (running_.size() >= static_cast<size_t>(limits_.jobs)) break;
    if (short_of_money_) break;
    Time at = std::max(model.held_until, model.provider->pace.ready());
    if (model.breaker.state(at) != core::Breaker::State::kClosed) {
      at = std::max(at, model.breaker.until());
    }
    soonest = std::min(soonest, at);
  }
  return soonest;
}

std::string BatchDispatcher::troubles(Time now) const {
  std::vector<std::string> texts;
  const auto seconds = [now](Time until) {
    return std::chrono::duration<double>(until - now).count();
  };
  for (const auto& [key, model] : models_) {
    if (model.provider->off) continue;
    const Time hold =
        std::max(model.held_until, model.provider->pace.held_until());
    if (model.breaker.state(now) == core::Breaker::State::kOpen) {
      texts.push_back(fmt::format("{} left alone for {:.0f} s", key->name,
                                  seconds(model.breaker.until())));
    } else if (hold > now + std::chrono::milliseconds(500)) {
      texts.push_back(
          fmt::format("{} held for {:.0f} s", key->name, seconds(hold)));
    }
  }
  return base::join(texts, ", ");
}

}  // namespace llmroute::app
