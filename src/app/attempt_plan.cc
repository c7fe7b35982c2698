#include "app/attempt_plan.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace llmroute::app {
namespace {

using core::Failure;
using core::FailureClass;
using std::chrono::milliseconds;

milliseconds scaled(milliseconds limit, double share) {
  return milliseconds(std::llround(static_cast<double>(limit.count()) * share));
}

// What is left to try after a failure.
enum class Whither {
  kSameCandidate,
  kNextCandidate,
  kLargerWindow,
  kNextProvider,
  kStop
};

Whither after_failure(const Failure& failure) {
  if (failure.should_retry == true) return Whither::kSameCandidate;
  switch (failure.kind) {
    case FailureClass::kTransient:
    case FailureClass::kThrottled:
      return failure.should_retry == false ? Whither::kNextCandidate
                                           : Whither::kSameCandidate;
    case FailureClass::kNoMoney:
    case FailureClass::kNotAllowed:
      return Whither::kNextProvider;
    case FailureClass::kTooLong:
      return Whither::kLargerWindow;
    case FailureClass::kGone:
    case FailureClass::kProtocol:
      return Whither::kNextCandidate;
    case FailureClass::kOurFault:
    case FailureClass::kCancelled:
    case FailureClass::kLocal:
      return Whither::kStop;
  }
  return Whither::kStop;
}

bool local_and_refused(const core::Candidate& candidate,
                       const Failure& failure) {
  const auto& tags = candidate.provider->tags;
  return failure.cause == "refused" &&
         std::find(tags.begin(), tags.end(), "local") != tags.end();
}

}  // namespace

double system_random() {
  uint64_t bits = 0;
  (void)!getrandom(&bits, sizeof bits, 0);
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

bool may_have_cost(const Failure& failure) {
  // An error in the place of an answer counts as if it had been the status.
  const bool answered_by_error =
      failure.http_status >= 400 ||
      (failure.cause == "error in reply" && failure.bytes_streamed == 0);
  return failure.sent && !answered_by_error;
}

std::optional<milliseconds> retry_wait(const RetryRules& rules,
                                       const Failure& failure, int retry,
                                       const Random& random) {
  if (failure.retry_after) {
    if (*failure.retry_after > rules.longest_hint) return std::nullopt;
    const milliseconds spread =
        std::min(milliseconds(1000), *failure.retry_after / 10);
    return *failure.retry_after + scaled(spread, random());
  }
  const milliseconds base = failure.kind == FailureClass::kThrottled
                                ? rules.base_throttled
                                : rules.base_transient;
  const milliseconds ceiling =
      std::min(rules.cap, base * (int64_t{1} << std::min(retry - 1, 20)));
  return scaled(ceiling, random());
}

AttemptPlan::AttemptPlan(const core::Decision& decision,
                         const RetryRules& rules,
                         std::optional<core::Money> ceiling, Blocked blocked,
                         Random random)
    : decision_(decision),
      rules_(rules),
      ceiling_(ceiling),
      blocked_(std::move(blocked)),
      random_(std::move(random)) {}

// Whether the ceiling still holds this candidate's worst case.
bool AttemptPlan::affordable(const core::Candidate& candidate) const {
  return !ceiling_ || !candidate.worst_cost ||
         spent_ + *candidate.worst_cost <= *ceiling_;
}

bool AttemptPlan::excluded(const core::Candidate& candidate) const {
  return providers_off_.contains(candidate.provider->name) ||
         off_.contains(&candidate) || !affordable(candidate) ||
         (rejected_ability_ &&
          candidate.model->general_ability() <= *rejected_ability_) ||
         (least_window_ > 0 &&
          candidate.model->context_window.value_or(INT64_MAX) <= least_window_);
}

bool AttemptPlan::possible(size_t candidate) const {
  return !excluded(decision_.candidates[candidate]);
}

std::optional<AttemptPlan::Next> AttemptPlan::allowed_from(
    size_t candidate) const {
  for (size_t i = candidate; i < decision_.chain().size(); ++i) {
    const core::Candidate& it = decision_.candidates[i];
    if (!excluded(it) && !(blocked_ && blocked_(it))) {
      return Next{i, milliseconds(0)};
    }
  }
  return std::nullopt;
}

std::optional<size_t> AttemptPlan::beside(size_t candidate) const {
  const bool room =
      static_cast<int>(attempts_.size()) + 2 <= rules_.attempts_per_request;
  const auto other = allowed_from(candidate + 1);
  if (!room || !other) return std::nullopt;
  const auto worst = [&](size_t of) {
    return decision_.candidates[of].worst_cost.value_or(core::Money{});
  };
  const bool fits =
      !ceiling_ ||
      spent_ + worst(candidate) + worst(other->candidate) <= *ceiling_;
  return fits ? std::optional(other->candidate) : std::nullopt;
}

std::optional<AttemptPlan::Next> AttemptPlan::same_again(
    size_t candidate, milliseconds time_left) const {
  const core::Candidate& it = decision_.candidates[candidate];
  const Failure& failure = *attempts_.back().failure;
  const bool allowed =
      on_this_ < rules_.attempts_per_candidate && affordable(it) &&
      !(local_and_refused(it, failure) && allowed_from(candidate + 1));
  if (!allowed) return std::nullopt;
  const auto wait = retry_wait(rules_, failure, on_this_, random_);
  if (!wait || *wait >= time_left) return std::nullopt;
  return Next{candidate, *wait};
}

bool AttemptPlan::spent(milliseconds time_left) const {
  return time_left.count() <= 0 ||
         static_cast<int>(attempts_.size()) >= rules_.attempts_per_request;
}

// Whom a failure puts out of the question.
void AttemptPlan::take_to_heart(Attempt& attempt) {
  const core::Candidate& it = *attempt.candidate;
  const Whither whither = after_failure(*attempt.failure);
  attempt.retryable = whither == Whither::kSameCandidate;
  if (whither == Whither::kNextProvider) {
    providers_off_.insert(it.provider->name);
  }
  if (whither == Whither::kLargerWindow) {
    least_window_ =
        std::max(least_window_, it.model->context_window.value_or(0));
  }
}

std::optional<AttemptPlan::Next> AttemptPlan::after(size_t candidate,
                                                    Attempt attempt,
                                                    milliseconds time_left) {
  const auto before = std::find_if(
      attempts_.rbegin(), attempts_.rend(),
      [](const Attempt& one) { return !one.hedge && !one.outrun; });
  const bool in_a_row =
      before != attempts_.rend() && before->candidate == attempt.candidate;
  on_this_ = in_a_row ? on_this_ + 1 : 1;
  take_to_heart(attempt);
  const bool again = attempt.retryable;
  const bool stop = after_failure(*attempt.failure) == Whither::kStop;
  attempts_.push_back(std::move(attempt));
  over_ = stop || spent(time_left);
  if (over_) return std::nullopt;
  if (again) {
    if (const auto next = same_again(candidate, time_left)) return next;
  }
  return allowed_from(candidate + 1);
}

void AttemptPlan::failed_beside(Attempt attempt) {
  take_to_heart(attempt);
  if (!attempt.retryable) off_.insert(attempt.candidate);
  attempts_.push_back(std::move(attempt));
}

std::optional<AttemptPlan::Next> AttemptPlan::again(size_t candidate,
                                                    milliseconds time_left) {
  over_ = spent(time_left);
  if (over_) return std::nullopt;
  return allowed_from(candidate);
}

bool AttemptPlan::tried(const core::Candidate& candidate) const {
  return std::any_of(attempts_.begin(), attempts_.end(),
                     [&](const Attempt& attempt) {
                       const bool in_vain =
                           attempt.outrun || (attempt.hedge && attempt.failure);
                       return attempt.candidate == &candidate && !in_vain;
                     });
}

std::optional<AttemptPlan::Next> AttemptPlan::after_rejection(
    size_t candidate, Attempt attempt, milliseconds time_left) {
  const core::Candidate& it = decision_.candidates[candidate];
  if (decision_.selection == core::Selection::kOrdered) {
    off_.insert(&it);
  } else {
    rejected_ability_ = it.model->general_ability();
  }
  charge(attempt.cost.value_or(it.worst_cost.value_or(core::Money{})));
  attempts_.push_back(std::move(attempt));
  over_ = spent(time_left);
  for (size_t i = 0; !over_ && i < decision_.chain().size(); ++i) {
    const core::Candidate& other = decision_.candidates[i];
    if (!tried(other) && !excluded(other) && !(blocked_ && blocked_(other))) {
      return Next{i, milliseconds(0)};
    }
  }
  return std::nullopt;
}

bool may_hedge(const core::Decision& decision, const core::Prompt& prompt,
               const core::Candidate& silent, const core::Candidate& other) {
  const auto harmless = [](const core::Provider& provider) {
    return provider.protocol != core::Protocol::kExec || provider.pure;
  };
  const bool at_hand =
      other.provider->key_command.empty() || other.provider == silent.provider;
  return decision.hedge && prompt.parameters.tools.empty() && at_hand &&
         harmless(*silent.provider) && harmless(*other.provider);
}

std::optional<base::Error> AttemptPlan::lacks_money() const {
  if (!ceiling_ || over_ || attempts_.empty()) return std::nullopt;
  const Attempt& last = attempts_.back();
  const bool again = last.retryable && on_this_ < rules_.attempts_per_candidate;
  for (const core::Candidate& one : decision_.chain()) {
    const bool in_question = tried(one)
                                 ? again && &one == last.candidate
                                 : !providers_off_.contains(one.provider->name);
    if (!in_question || affordable(one)) continue;
    return base::Error{
        base::ErrorKind::kBudget,
        fmt::format("the worst case of {} of another attempt does not fit "
                    "under a ceiling of {}: {} is or may be spent "
                    "(--max-tokens lowers the worst case)",
                    core::display_usd(*one.worst_cost),
                    core::display_usd(*ceiling_), core::display_usd(spent_))};
  }
  return std::nullopt;
}

void AttemptPlan::last(Attempt attempt) {
  attempts_.push_back(std::move(attempt));
}

std::vector<Attempt> AttemptPlan::take_attempts() {
  if (!attempts_.empty() && attempts_.back().outrun) {
    std::ranges::stable_partition(attempts_, &Attempt::outrun);
  }
  return std::move(attempts_);
}

}  // namespace llmroute::app
