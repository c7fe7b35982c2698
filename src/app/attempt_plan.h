// What each failure of an attempt leads to: the same candidate again after a
// wait, the next one, or the end. Pure: no clock, no network; `run` and `batch`
// both go by it. The rules: docs/reliability.md.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/decision.h"
#include "core/prompt.h"
#include "core/reply.h"

namespace llmroute::app {

struct Attempt {
  const core::Candidate* candidate = nullptr;  // borrowed from the decision
  std::optional<core::Failure> failure;        // nothing: it answered
  // It answered, but the answer would not do: why.
  std::optional<std::string> rejected;
  std::optional<bool> verdict;      // of a check, if it came to one
  std::optional<core::Money> cost;  // of an answer, if it is known
  bool retryable = false;
  int64_t number = 1;   // of the request's, from 1, in the order of beginning
  bool hedge = false;   // asked beside another that was silent
  bool outrun = false;  // the other was faster: cancelled, which is its failure
  std::chrono::milliseconds waited{0};  // before this attempt
  std::chrono::milliseconds took{0};
  std::chrono::milliseconds first_token{0};  // 0: no text came
};

// The cause of that failure.
inline constexpr std::string_view kOutrun = "outrun";

struct Answered {
  std::optional<core::Reply> reply;
  const core::Candidate* by = nullptr;  // who answered, or who failed last
  std::vector<Attempt> attempts;        // his the last
  std::chrono::milliseconds took{0};    // `run`: with all waits
  // `reply` would not do, and nobody stronger gave another.
  std::optional<base::Error> rejected;
  // Why the next attempt was not made, if its cost could not be put aside.
  std::optional<base::Error> held_back;
};

// The numbers of the retry rules. Backoff before retry n is uniform in [0,
// min(cap, base * 2^(n-1))] (full jitter). These are those of `run`.
struct RetryRules {
  int attempts_per_candidate = 3;
  int attempts_per_request = 6;
  std::chrono::milliseconds base_transient{500};
  std::chrono::milliseconds base_throttled{1000};
  std::chrono::milliseconds cap{8000};
  std::chrono::milliseconds longest_hint{60'000};
};

// Uniform random number in [0, 1).
using Random = std::function<double()>;
double system_random();

// Wait before retry number `retry` (from 1) after `failure`; nothing: do not
// retry this candidate.
std::optional<std::chrono::milliseconds> retry_wait(
    const RetryRules& rules, const core::Failure& failure, int retry,
    const Random& random);

// Whether the provider may charge for an attempt that failed like this: it was
// sent, and not answered by an error status.
bool may_have_cost(const core::Failure& failure);

// One request's way through the candidates of its decision.
class AttemptPlan {
 public:
  // What the plan cannot know of a candidate: true if it may not be asked now.
  using Blocked = std::function<bool(const core::Candidate& candidate)>;
  struct Next {
    size_t candidate = 0;  // index into the decision's
    std::chrono::milliseconds wait{0};
  };

  // Borrows the decision. `ceiling`: what all attempts together may cost.
  AttemptPlan(const core::Decision& decision, const RetryRules& rules,
              std::optional<core::Money> ceiling, Blocked blocked = {},
              Random random = system_random);

  // The first candidate from that index on who may be asked; nothing: nobody.
  std::optional<Next> allowed_from(size_t candidate) const;
  // Who may be asked beside that candidate: both may cost their worst.
  std::optional<size_t> beside(size_t candidate) const;
  // Whether it may be asked, or might be if it were not blocked.
  bool possible(size_t candidate) const;
  // What an attempt has cost, or may have; it counts against the ceiling.
  void charge(core::Money cost) { spent_ += cost; }
  // `attempt` of that candidate failed; time_left: of the request. Nothing: the
  // request is over, or all that are left are blocked.
  std::optional<Next> after(size_t candidate, Attempt attempt,
                            std::chrono::milliseconds time_left);
  // Whether the last failure ended the request whoever is left.
  bool over() const { return over_; }
  // `attempt` of that candidate answered, but the answer will not do: the best
  // of those who are stronger in general and were not asked yet; where the
  // order is the user's, the next in it.
  std::optional<Next> after_rejection(size_t candidate, Attempt attempt,
                                      std::chrono::milliseconds time_left);
  // `attempt` was asked beside another, which decides what comes next, and
  // failed.
  void failed_beside(Attempt attempt);
  // That candidate was cancelled for one that then failed: once more.
  std::optional<Next> again(size_t candidate,
                            std::chrono::milliseconds time_left);
  // What to say if the ceiling alone forbids another attempt.
  std::optional<base::Error> lacks_money() const;
  // An attempt that answered, was outrun, or ended the request whatever may
  // follow.
  void last(Attempt attempt);

  const std::vector<Attempt>& attempts() const { return attempts_; }
  // One that was outrun is not the last, unless all were.
  std::vector<Attempt> take_attempts();

 private:
  bool tried(const core::Candidate& candidate) const;
  bool spent(std::chrono::milliseconds time_left) const;
  void take_to_heart(Attempt& attempt);
  bool excluded(const core::Candidate& candidate) const;
  bool affordable(const core::Candidate& candidate) const;
  std::optional<Next> same_again(size_t candidate,
                                 std::chrono::milliseconds time_left) const;

  const core::Decision& decision_;
  RetryRules rules_;
  std::optional<core::Money> ceiling_;
  Blocked blocked_;
  Random random_;
  std::vector<Attempt> attempts_;
  int on_this_ = 0;  // attempts of the last candidate in a row
  bool over_ = false;
  std::set<std::string> providers_off_;
  std::set<const core::Candidate*> off_;  // for this request
  core::Money spent_;
  int64_t least_window_ = 0;  // a candidate's window must be above this
  // Whose answer would not do: others must be stronger in general.
  std::optional<double> rejected_ability_;
};

// Whether `other` may be asked while `silent` says nothing: the route wants it,
// no tool may be called twice, a command does no harm, and no other command has
// to be waited for that gives the key.
bool may_hedge(const core::Decision& decision, const core::Prompt& prompt,
               const core::Candidate& silent, const core::Candidate& other);

}  // namespace llmroute::app
