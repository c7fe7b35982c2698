#include "app/attempt.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/random.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/text.h"
#include "config/keys.h"
#include "provider/call.h"

namespace llmroute::app {
namespace {

using core::Failure;
using core::FailureClass;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

double system_random() {
  uint64_t bits = 0;
  (void)!getrandom(&bits, sizeof bits, 0);
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

milliseconds since(steady_clock::time_point start) {
  return std::chrono::duration_cast<milliseconds>(steady_clock::now() - start);
}

milliseconds scaled(milliseconds limit, double share) {
  return milliseconds(std::llround(static_cast<double>(limit.count()) * share));
}

// What is left to try after a failure.
enum class Next {
  kSameCandidate,
  kNextCandidate,
  kLargerWindow,
  kNextProvider,
  kStop
};

Next next_after(const Failure& failure) {
  if (failure.should_retry == true) return Next::kSameCandidate;
  switch (failure.kind) {
    case FailureClass::kTransient:
    case FailureClass::kThrottled:
      return failure.should_retry == false ? Next::kNextCandidate
                                           : Next::kSameCandidate;
    case FailureClass::kNoMoney:
    case FailureClass::kNotAllowed:
      return Next::kNextProvider;
    case FailureClass::kTooLong:
      return Next::kLargerWindow;
    case FailureClass::kGone:
    case FailureClass::kProtocol:
      return Next::kNextCandidate;
    case FailureClass::kOurFault:
    case FailureClass::kCancelled:
    case FailureClass::kLocal:
      return Next::kStop;
  }
  return Next::kStop;
}

bool local_and_refused(const core::Candidate& candidate,
                       const Failure& failure) {
  const auto& tags = candidate.provider->tags;
  return failure.cause == "refused" &&
         std::find(tags.begin(), tags.end(), "local") != tags.end();
}

// Tries the candidates of one decision; the state of one request.
class Attempts {
 public:
  Attempts(const core::Decision& decision, const core::Prompt& prompt,
           const core::Limits& limits, bool has_ceiling,
           const base::Environment& environment, const provider::Cancel& cancel,
           AnswerOutput& output, const Messages& messages)
      : decision_(decision),
        prompt_(prompt),
        limits_(limits),
        has_ceiling_(has_ceiling),
        environment_(environment),
        cancel_(cancel),
        output_(output),
        messages_(messages) {
    rules_.attempts_per_candidate = limits.attempts_per_candidate;
    rules_.attempts_per_request = limits.attempts_per_request;
  }

  Answered run();

 private:
  // True: the request is over, by an answer or because nothing may follow.
  bool try_candidate(size_t index);
  void one_attempt(const core::Candidate& candidate, milliseconds waited);
  // True: try the same candidate again after a wait.
  bool settle_failure(size_t index, int on_this, milliseconds& wait_for);
  bool skip(const core::Candidate& candidate) const;
  bool affordable(const core::Candidate& candidate) const;
  // Whether a later candidate may still be tried.
  bool another_after(size_t index) const;
  bool wait(milliseconds how_long) const;
  milliseconds time_left() const { return limits_.total - since(start_); }
  const Failure& last_failure() const {
    return *answered_.attempts.back().failure;
  }

  const core::Decision& decision_;
  const core::Prompt& prompt_;
  const core::Limits& limits_;
  const bool has_ceiling_;
  const base::Environment& environment_;
  const provider::Cancel& cancel_;
  AnswerOutput& output_;
  const Messages& messages_;
  RetryRules rules_;
  Answered answered_;
  std::set<std::string> providers_off_;
  core::Money spent_;         // at most, by failed attempts that may have cost
  int64_t least_window_ = 0;  // a candidate's window must be above this
  const steady_clock::time_point start_ = steady_clock::now();
};

void Attempts::one_attempt(const core::Candidate& candidate,
                           milliseconds waited) {
  Attempt attempt;
  attempt.candidate = &candidate;
  attempt.waited = waited;
  const auto started = steady_clock::now();
  auto finish = [&](std::optional<Failure> failure) {
    attempt.failure = std::move(failure);
    attempt.took = since(started);
    answered_.attempts.push_back(std::move(attempt));
    answered_.by = &candidate;
  };
  auto key = config::resolve_key(*candidate.provider, environment_);
  if (!key) {
    Failure failure;
    failure.kind = FailureClass::kNotAllowed;
    failure.cause = "no key";
    failure.message = key.error().message;
    return finish(std::move(failure));
  }
  redact_in_messages(*key);
  const provider::Call call{
      *candidate.provider,
      *candidate.model,
      prompt_,
      *key,
      cap_to_send(candidate, prompt_, has_ceiling_),
      true,
      {limits_.connect, limits_.first_token, limits_.idle, time_left()},
      cancel_};
  output_.discard();
  auto result = provider::call(call, [&](std::string_view text) {
    if (attempt.first_token.count() == 0) {
      attempt.first_token = std::max(milliseconds(1), since(started));
    }
    return output_.write(text);
  });
  if (auto* reply = std::get_if<core::Reply>(&result)) {
    answered_.reply = std::move(*reply);
    return finish(std::nullopt);
  }
  finish(std::get<Failure>(std::move(result)));
}

// Whether the ceiling still holds this candidate's worst case.
bool Attempts::affordable(const core::Candidate& candidate) const {
  return !limits_.max_cost || !candidate.worst_cost ||
         spent_ + *candidate.worst_cost <= *limits_.max_cost;
}

bool Attempts::skip(const core::Candidate& candidate) const {
  return providers_off_.contains(candidate.provider->name) ||
         !affordable(candidate) ||
         (least_window_ > 0 &&
          candidate.model->context_window.value_or(INT64_MAX) <= least_window_);
}

bool Attempts::another_after(size_t index) const {
  const auto& candidates = decision_.candidates;
  return std::any_of(
      candidates.begin() + static_cast<std::ptrdiff_t>(index) + 1,
      candidates.end(), [this](const auto& c) { return !skip(c); });
}

bool Attempts::wait(milliseconds how_long) const {
  pollfd one{cancel_.wake_fd, POLLIN, 0};
  const auto end = steady_clock::now() + how_long;
  while (!cancel_.requested()) {
    const auto left =
        std::chrono::duration_cast<milliseconds>(end - steady_clock::now());
    if (left.count() <= 0) return true;
    ::poll(&one, 1, static_cast<int>(left.count()));
  }
  return false;
}

bool Attempts::settle_failure(size_t index, int on_this,
                              milliseconds& wait_for) {
  const core::Candidate& candidate = decision_.candidates[index];
  Attempt& attempt = answered_.attempts.back();
  const Failure& failure = *attempt.failure;
  if (may_have_cost(failure)) {
    spent_ = spent_ + candidate.worst_cost.value_or(core::Money{});
  }
  const Next next = next_after(failure);
  if (next == Next::kNextProvider) {
    providers_off_.insert(candidate.provider->name);
  }
  if (next == Next::kLargerWindow) {
    least_window_ = candidate.model->context_window.value_or(0);
  }
  attempt.retryable = next == Next::kSameCandidate;
  const auto tried = static_cast<int>(answered_.attempts.size());
  const bool another = another_after(index);
  const bool again = attempt.retryable &&
                     !(local_and_refused(candidate, failure) && another) &&
                     on_this < rules_.attempts_per_candidate &&
                     tried < rules_.attempts_per_request &&
                     affordable(candidate);
  const auto pause = again ? retry_wait(rules_, failure, on_this, system_random)
                           : std::nullopt;
  const bool retries = pause && *pause < time_left();
  const std::string why =
      fmt::format("{} ({}): {}", candidate.model->name,
                  candidate.provider->name, failure.message);
  if (retries) {
    wait_for = *pause;
    messages_.detail(why + "; trying again");
  } else if (next != Next::kStop && another &&
             tried < rules_.attempts_per_request) {
    messages_.warn(why + "; asking the next model");
  }
  return retries;
}

bool Attempts::try_candidate(size_t index) {
  milliseconds waited{0};
  for (int on_this = 1;; ++on_this) {
    one_attempt(decision_.candidates[index], waited);
    if (answered_.reply || output_.broken() || output_.printed_bytes() > 0 ||
        cancel_.requested()) {
      return true;
    }
    if (!settle_failure(index, on_this, waited)) {
      return next_after(last_failure()) == Next::kStop;
    }
    if (!wait(waited)) return true;
  }
}

Answered Attempts::run() {
  for (size_t i = 0; i < decision_.candidates.size(); ++i) {
    const auto tried = static_cast<int>(answered_.attempts.size());
    const bool exhausted = tried > 0 && (tried >= rules_.attempts_per_request ||
                                         time_left().count() <= 0);
    if (exhausted) break;
    if (skip(decision_.candidates[i])) continue;
    if (try_candidate(i)) break;
  }
  return std::move(answered_);
}

}  // namespace

bool may_have_cost(const Failure& failure) {
  return failure.sent && failure.http_status < 400;
}

int64_t cap_to_send(const core::Candidate& candidate,
                    const core::Prompt& prompt, bool has_ceiling) {
  const bool required =
      candidate.provider->protocol == core::Protocol::kAnthropic;
  if (!prompt.parameters.max_tokens && !has_ceiling && !required) return 0;
  constexpr int64_t kUnknownLimit = 4096;
  const int64_t unknown = required ? kUnknownLimit : 0;
  return candidate.output_cap.value_or(unknown);
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

Answered attempt_all(const core::Decision& decision, const core::Prompt& prompt,
                     const core::Limits& limits, bool has_ceiling,
                     const base::Environment& environment,
                     const provider::Cancel& cancel, AnswerOutput& output,
                     const Messages& messages) {
  return Attempts(decision, prompt, limits, has_ceiling, environment, cancel,
                  output, messages)
      .run();
}

namespace {

base::ErrorKind kind_of(FailureClass failure) {
  using base::ErrorKind;
  switch (failure) {
    case FailureClass::kTransient:
    case FailureClass::kThrottled:
      return ErrorKind::kTryLater;
    case FailureClass::kNoMoney:
    case FailureClass::kNotAllowed:
      return ErrorKind::kNoPermission;
    case FailureClass::kTooLong:
    case FailureClass::kOurFault:
      return ErrorKind::kData;
    case FailureClass::kGone:
      return ErrorKind::kUnavailable;
    case FailureClass::kProtocol:
      return ErrorKind::kProtocol;
    case FailureClass::kCancelled:
    case FailureClass::kLocal:
      return ErrorKind::kOs;
  }
  return ErrorKind::kSoftware;
}

// If several apply, the first of this order decides.
int precedence(base::ErrorKind kind) {
  using base::ErrorKind;
  switch (kind) {
    case ErrorKind::kOs:
      return 0;
    case ErrorKind::kNoPermission:
      return 1;
    case ErrorKind::kProtocol:
      return 2;
    case ErrorKind::kTryLater:
      return 3;
    case ErrorKind::kUnavailable:
      return 4;
    default:
      return 5;
  }
}

std::string describe(const Attempt& attempt) {
  const Failure& failure = *attempt.failure;
  return fmt::format("{} ({}): {}", attempt.candidate->model->name,
                     attempt.candidate->provider->name, failure.message);
}

}  // namespace

base::Error failed(const Answered& answered, size_t printed_bytes) {
  const Attempt& last = answered.attempts.back();
  if (printed_bytes > 0) {
    return {base::ErrorKind::kIncomplete,
            fmt::format("{}; the answer broke off after {} bytes",
                        describe(last), printed_bytes)};
  }
  // One line a candidate, its last failure; the gravest kind decides.
  base::ErrorKind kind = kind_of(last.failure->kind);
  std::vector<std::string> causes;
  for (size_t i = 0; i < answered.attempts.size(); ++i) {
    const Attempt& attempt = answered.attempts[i];
    const base::ErrorKind its = kind_of(attempt.failure->kind);
    if (precedence(its) < precedence(kind)) kind = its;
    const bool last_of_candidate =
        i + 1 == answered.attempts.size() ||
        answered.attempts[i + 1].candidate != attempt.candidate;
    if (last_of_candidate) causes.push_back(describe(attempt));
  }
  std::string text = base::join(causes, "; ");
  if (answered.attempts.size() > 1) {
    text += fmt::format(" ({} attempts)", answered.attempts.size());
  }
  if (last.failure->retry_after) {
    text += fmt::format(
        "; it asks to wait {:.0f} s",
        std::ceil(static_cast<double>(last.failure->retry_after->count()) /
                  1000));
  }
  return {kind, text};
}

}  // namespace llmroute::app
