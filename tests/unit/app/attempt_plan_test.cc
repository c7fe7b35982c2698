#include "app/attempt_plan.h"

#include <doctest/doctest.h>

#include <array>
#include <vector>

namespace llmroute::app {
namespace {

using core::Failure;
using core::FailureClass;
using std::chrono::milliseconds;

constexpr milliseconds kAges{3'600'000};

Failure failure_of(FailureClass kind) {
  Failure failure;
  failure.kind = kind;
  return failure;
}

// Candidates a and b of one provider and c of another, with windows of 1, 2
// and 3 thousand tokens.
struct Chain {
  Chain() {
    for (size_t i = 0; i < models.size(); ++i) {
      models[i].name = std::string(1, static_cast<char>('a' + i));
      models[i].context_window = 1000 * static_cast<int64_t>(i + 1);
      core::Candidate candidate;
      candidate.model = &models[i];
      candidate.provider = &providers[i / 2];
      decision.candidates.push_back(candidate);
    }
    providers[0].name = "p";
    providers[1].name = "q";
  }

  // Who is asked if every attempt fails like this, as "aab".
  std::string asked(const Failure& failure, const RetryRules& rules = {}) {
    AttemptPlan plan(decision, rules, std::nullopt, {}, [] { return 0.0; });
    std::string names;
    auto next = plan.allowed_from(0);
    while (next) {
      const core::Candidate& it = decision.candidates[next->candidate];
      names += it.model->name;
      Attempt attempt;
      attempt.candidate = &it;
      attempt.failure = failure;
      next = plan.after(next->candidate, std::move(attempt), kAges);
    }
    return names;
  }

  std::array<core::Model, 3> models;
  std::array<core::Provider, 2> providers;
  core::Decision decision;
};

RetryRules of_batch() {
  RetryRules rules;
  rules.attempts_per_candidate = 5;
  rules.attempts_per_request = 10;
  return rules;
}

}  // namespace

TEST_CASE("what each class of failures leads to") {
  struct Row {
    FailureClass kind;
    const char* asked;
  };
  for (const Row& row : {
           Row{FailureClass::kTransient, "aaabbb"},
           Row{FailureClass::kThrottled, "aaabbb"},
           Row{FailureClass::kNoMoney, "ac"},
           Row{FailureClass::kNotAllowed, "ac"},
           Row{FailureClass::kTooLong, "abc"},
           Row{FailureClass::kGone, "abc"},
           Row{FailureClass::kProtocol, "abc"},
           Row{FailureClass::kOurFault, "a"},
           Row{FailureClass::kLocal, "a"},
           Row{FailureClass::kCancelled, "a"},
       }) {
    CAPTURE(core::failure_class_name(row.kind));
    CHECK(Chain().asked(failure_of(row.kind)) == row.asked);
  }
}

TEST_CASE("x-should-retry overrides the class") {
  Failure refused = failure_of(FailureClass::kOurFault);
  refused.should_retry = true;
  CHECK(Chain().asked(refused) == "aaabbb");
  Failure transient = failure_of(FailureClass::kTransient);
  transient.should_retry = false;
  CHECK(Chain().asked(transient) == "abc");
}

TEST_CASE("too long goes to larger windows only") {
  Chain chain;
  chain.models[1].context_window = 1000;
  CHECK(chain.asked(failure_of(FailureClass::kTooLong)) == "ac");
}

TEST_CASE(
    "three attempts at one candidate and six in all; a batch has 5 "
    "and 10") {
  const Failure transient = failure_of(FailureClass::kTransient);
  CHECK(Chain().asked(transient) == "aaabbb");
  CHECK(Chain().asked(transient, of_batch()) == "aaaaabbbbb");
  Chain alone;
  alone.decision.candidates.resize(1);
  CHECK(alone.asked(transient) == "aaa");
  CHECK(alone.asked(transient, of_batch()) == "aaaaa");
}

TEST_CASE("a hint above the limit goes to the next candidate") {
  Failure throttled = failure_of(FailureClass::kThrottled);
  throttled.retry_after = milliseconds(60'001);
  CHECK(Chain().asked(throttled) == "abc");
  RetryRules rules = of_batch();
  rules.longest_hint = milliseconds(120'000);
  CHECK(Chain().asked(throttled, rules) == "aaaaabbbbb");
  throttled.retry_after = milliseconds(120'001);
  CHECK(Chain().asked(throttled, rules) == "abc");
}

TEST_CASE("a retry whose wait is over the time left is not made") {
  Chain chain;
  AttemptPlan plan(chain.decision, {}, std::nullopt, {}, [] { return 1.0; });
  Attempt attempt;
  attempt.candidate = &chain.decision.candidates[0];
  attempt.failure = failure_of(FailureClass::kTransient);
  const auto next = plan.after(0, attempt, milliseconds(500));
  REQUIRE(next);
  CHECK(next->candidate == 1);
  CHECK(next->wait == milliseconds(0));
  CHECK(!plan.after(1, attempt, milliseconds(0)));
  CHECK(plan.over());
}

TEST_CASE("a candidate that is blocked or too dear is passed over") {
  Chain chain;
  const auto& candidates = chain.decision.candidates;
  AttemptPlan plan(
      chain.decision, {}, std::nullopt,
      [&](const core::Candidate& it) { return &it == &candidates[1]; },
      [] { return 0.0; });
  Attempt attempt;
  attempt.candidate = &candidates[0];
  attempt.failure = failure_of(FailureClass::kGone);
  CHECK(plan.after(0, attempt, kAges)->candidate == 2);
  chain.decision.candidates[1].worst_cost = core::Money{10};
  chain.decision.candidates[2].worst_cost = core::Money{1};
  AttemptPlan poor(chain.decision, {}, core::Money{5}, {}, [] { return 0.0; });
  CHECK(poor.after(0, attempt, kAges)->candidate == 2);
  poor.charge(core::Money{5});
  CHECK(!poor.allowed_from(1));
}

TEST_CASE("beside a candidate the next, if both worst cases fit") {
  Chain chain;
  auto& candidates = chain.decision.candidates;
  candidates[0].worst_cost = core::Money{3};
  candidates[1].worst_cost = core::Money{4};
  candidates[2].worst_cost = core::Money{1};
  const auto beside = [&](int64_t ceiling, int64_t spent = 0) {
    AttemptPlan plan(chain.decision, {}, core::Money{ceiling});
    plan.charge(core::Money{spent});
    return plan.beside(0);
  };
  CHECK(beside(7) == 1);
  CHECK(!beside(6));
  CHECK(!beside(7, 1));
  CHECK(AttemptPlan(chain.decision, {}, std::nullopt).beside(1) == 2);
  CHECK(!AttemptPlan(chain.decision, {}, std::nullopt).beside(2));
  chain.decision.no_fallback = true;
  CHECK(!AttemptPlan(chain.decision, {}, std::nullopt).beside(0));
}

TEST_CASE("two attempts at once are two of those that are allowed") {
  Chain chain;
  RetryRules rules;
  rules.attempts_per_request = 2;
  AttemptPlan plan(chain.decision, rules, std::nullopt, {}, [] { return 0.0; });
  CHECK(plan.beside(0) == 1);
  Attempt attempt;
  attempt.candidate = &chain.decision.candidates[0];
  attempt.failure = failure_of(FailureClass::kTransient);
  CHECK(plan.after(0, attempt, kAges));
  CHECK(!plan.beside(0));
}

}  // namespace llmroute::app
