#include "app/batch_dispatch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace llmroute::app {

using Time = BatchItem::Time;

BatchDispatcher::BatchDispatcher(DispatchLimits limits,
                                 const DispatchParts& parts, Finished finished,
                                 Sending sending, Needs needs, InVain in_vain)
    : limits_(std::move(limits)),
      budget_(parts.budget),
      book_(parts.book),
      calls_(parts.calls),
      environment_(parts.environment),
      messages_(parts.messages),
      totals_(parts.totals),
      finished_(std::move(finished)),
      sending_(std::move(sending)),
      needs_(std::move(needs)),
      in_vain_(std::move(in_vain)) {}

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
  ProviderState& state =
      providers_.emplace(&provider, ProviderState(limits)).first->second;
  state.one_limit = provider.limits_whole_key();
  return state;
}

BatchDispatcher::ModelState& BatchDispatcher::state_of(
    const core::Candidate& candidate) {
  ModelState& model = models_[candidate.model];
  model.model = candidate.model;
  model.provider = &state_of(*candidate.provider);
  return model;
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

// May be asked, now or later.
bool BatchDispatcher::usable(const BatchItem& item, size_t candidate) {
  const ModelState& model = state_of(item.decision.candidates[candidate]);
  return !model.provider->off && !item.failed[candidate] &&
         item.plan->possible(candidate);
}

// The first who may be asked now, else who may be soonest; nothing: nobody.
std::optional<size_t> BatchDispatcher::choose(const BatchItem& item) {
  const Time now = std::chrono::steady_clock::now();
  const auto candidates = item.decision.chain();
  std::optional<size_t> chosen;
  Time soonest = Time::max();
  for (size_t i = 0; i < candidates.size() && soonest > now; ++i) {
    if (!usable(item, i)) continue;
    const Time from = open_from(state_of(candidates[i]), now);
    if (chosen && from >= soonest) continue;
    chosen = i;
    soonest = from;
  }
  return chosen;
}

void BatchDispatcher::enqueue(std::unique_ptr<BatchItem> item, bool in_front) {
  const auto chosen = choose(*item);
  if (!chosen && item->rejected) return give_up(std::move(item));
  if (!chosen) return nobody_left(std::move(item));
  item->candidate = *chosen;
  auto& queue = state_of(item->asked_of()).queue;
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

void BatchDispatcher::dispatch(Time now) {
  while (!due_.empty() && due_.top().due <= now) {
    auto owned = delayed_.extract(due_.top().item);
    due_.pop();
    --waiting_;
    enqueue(std::move(owned.mapped()), true);
  }
  if (running_.empty() && waiting_ == 0) failing_since_.reset();
  if (failing_since_ && now - *failing_since_ >= limits_.give_up) {
    nobody_answers(now);
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

// The second time for all that is left, though others were answered: those that
// are left are the cause.
void BatchDispatcher::nobody_answers(Time now) {
  base::Error why{
      base::ErrorKind::kTryLater,
      fmt::format(
          "nobody has answered for {:.0f} s",
          std::chrono::duration<double>(now - *failing_since_).count())};
  hopeless_ = hopeless_ || all_in_vain();
  if (!hopeless_) {
    const base::Status noted =
        totals_.ok() > 0 ? note_given_up() : base::Status();
    return stop(noted ? std::move(why) : noted.error());
  }
  failing_since_.reset();
  std::vector<std::unique_ptr<BatchItem>> left;
  for (auto& [key, item] : delayed_) left.push_back(std::move(item));
  delayed_.clear();
  due_ = {};
  for (auto& [key, model] : models_) {
    for (auto& item : model.queue) left.push_back(std::move(item));
    model.queue.clear();
  }
  waiting_ = 0;
  core::Failure none;
  none.cause = "no answer";
  none.message = why.message;
  for (auto& item : left) {
    core::Failure failure = item->last_failure.value_or(none);
    end_in_vain(std::move(item), std::move(failure));
  }
}

bool BatchDispatcher::all_in_vain() const {
  const auto in_vain = [this](const auto& item) {
    return in_vain_(item->record);
  };
  const auto second = [&](const auto& entry) { return in_vain(entry.second); };
  return std::ranges::all_of(running_, second) &&
         std::ranges::all_of(delayed_, second) &&
         std::ranges::all_of(models_, [&](const auto& entry) {
           return std::ranges::all_of(entry.second.queue, in_vain);
         });
}

// For the run that goes on.
base::Status BatchDispatcher::note_given_up() {
  const auto note = [this](const BatchItem& item) {
    return item.uncounted > 0 || item.last_failure
               ? sending_(item.record.line, core::Money{})
               : base::Status();
  };
  for (auto& [key, item] : running_) {
    LLMROUTE_CHECK(sending_(item->record.line, core::Money{}));
  }
  for (auto& [key, item] : delayed_) LLMROUTE_CHECK(note(*item));
  for (auto& [key, model] : models_) {
    for (auto& item : model.queue) LLMROUTE_CHECK(note(*item));
  }
  return {};
}

bool BatchDispatcher::may_start(const ModelState& model, Time now) const {
  return running_.size() < static_cast<size_t>(limits_.jobs) &&
         book_in_use_ <= now && model.held_until <= now &&
         model.breaker.allows(now) && model.provider->pace.ready() <= now;
}

// Whether every record waits for somebody who holds for longer than a record
// may wait.
bool BatchDispatcher::all_held(Time now) const {
  return waiting_ > 0 && running_.empty() && delayed_.empty() &&
         std::all_of(models_.begin(), models_.end(), [&](const auto& entry) {
           const ModelState& model = entry.second;
           return model.queue.empty() ||
                  model.held_until > now + limits_.longest_holds;
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

void BatchDispatcher::stop(base::Error why) {
  if (!stopped_) stopped_ = std::move(why);
}

void BatchDispatcher::abandon() {
  for (auto& [key, item] : delayed_) drop(*item);
  for (auto& [key, model] : models_) {
    for (auto& item : model.queue) drop(*item);
    model.queue.clear();
  }
  delayed_.clear();
  due_ = {};
  waiting_ = 0;
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
    Time at = std::max(
        {model.held_until, model.provider->pace.ready(), book_in_use_});
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
