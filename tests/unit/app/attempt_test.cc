#include "app/attempt.h"

#include <doctest/doctest.h>

#include "app/attempt_error.h"

namespace llmroute::app {
namespace {

using core::Failure;
using core::FailureClass;
using std::chrono::milliseconds;

Failure failure_of(FailureClass kind) {
  Failure failure;
  failure.kind = kind;
  return failure;
}

}  // namespace

TEST_CASE("backoff is full jitter under base * 2^(n-1), capped at 8 s") {
  const RetryRules rules;
  const Random most = [] { return 1.0; };
  const Random least = [] { return 0.0; };
  const Failure transient = failure_of(FailureClass::kTransient);
  CHECK(retry_wait(rules, transient, 1, most) == milliseconds(500));
  CHECK(retry_wait(rules, transient, 2, most) == milliseconds(1000));
  CHECK(retry_wait(rules, transient, 9, most) == milliseconds(8000));
  CHECK(retry_wait(rules, transient, 60, most) == milliseconds(8000));
  CHECK(retry_wait(rules, transient, 2, least) == milliseconds(0));
  const Failure throttled = failure_of(FailureClass::kThrottled);
  CHECK(retry_wait(rules, throttled, 1, most) == milliseconds(1000));
}

TEST_CASE("a hint is waited out, never early, spread by at most a second") {
  const RetryRules rules;
  Failure throttled = failure_of(FailureClass::kThrottled);
  throttled.retry_after = milliseconds(2000);
  CHECK(retry_wait(rules, throttled, 1, [] { return 0.0; }) ==
        milliseconds(2000));
  CHECK(retry_wait(rules, throttled, 1, [] { return 1.0; }) ==
        milliseconds(2200));
  throttled.retry_after = milliseconds(50'000);
  CHECK(retry_wait(rules, throttled, 1, [] { return 1.0; }) ==
        milliseconds(51'000));
}

TEST_CASE("a hint above 60 s is not waited for here") {
  Failure throttled = failure_of(FailureClass::kThrottled);
  throttled.retry_after = milliseconds(60'001);
  CHECK(!retry_wait(RetryRules{}, throttled, 1, [] { return 0.0; }));
}

TEST_CASE("the gravest cause decides the exit status") {
  core::Model model;
  core::Provider provider;
  core::Candidate candidate;
  candidate.model = &model;
  candidate.provider = &provider;
  const auto kind_after = [&](std::vector<FailureClass> kinds) {
    Answered answered;
    for (const FailureClass kind : kinds) {
      Attempt attempt;
      attempt.candidate = &candidate;
      attempt.failure = failure_of(kind);
      answered.attempts.push_back(attempt);
    }
    return failed(answered, 0).kind;
  };
  using base::ErrorKind;
  CHECK(kind_after({FailureClass::kTransient}) == ErrorKind::kTryLater);
  CHECK(kind_after({FailureClass::kThrottled}) == ErrorKind::kTryLater);
  CHECK(kind_after({FailureClass::kNoMoney}) == ErrorKind::kNoPermission);
  CHECK(kind_after({FailureClass::kGone}) == ErrorKind::kUnavailable);
  CHECK(kind_after({FailureClass::kTooLong}) == ErrorKind::kData);
  CHECK(kind_after({FailureClass::kProtocol}) == ErrorKind::kProtocol);
  CHECK(kind_after({FailureClass::kNotAllowed, FailureClass::kTransient}) ==
        ErrorKind::kNoPermission);
  CHECK(kind_after({FailureClass::kGone, FailureClass::kTransient}) ==
        ErrorKind::kTryLater);
}

TEST_CASE("a cause that several candidates share is told once") {
  core::Model models[3];
  core::Provider provider;
  provider.name = "p";
  core::Candidate candidates[3];
  Answered answered;
  for (size_t i = 0; i < 3; ++i) {
    models[i].name = std::string(1, static_cast<char>('a' + i));
    candidates[i].model = &models[i];
    candidates[i].provider = &provider;
    Attempt attempt;
    attempt.candidate = &candidates[i];
    attempt.failure = failure_of(FailureClass::kTransient);
    attempt.failure->message = i == 1 ? "reset" : "refused";
    answered.attempts.push_back(attempt);
  }
  CHECK(failed(answered, 0).message ==
        "a (p), c (p): refused; b (p): reset (3 attempts)");
}

TEST_CASE("after the first byte a failure is incomplete and says how much") {
  core::Model model;
  core::Provider provider;
  core::Candidate candidate;
  candidate.model = &model;
  candidate.provider = &provider;
  Answered answered;
  Attempt attempt;
  attempt.candidate = &candidate;
  attempt.failure = failure_of(FailureClass::kTransient);
  answered.attempts.push_back(attempt);
  const base::Error error = failed(answered, 42);
  CHECK(error.kind == base::ErrorKind::kIncomplete);
  CHECK(error.message.find("42 bytes") != std::string::npos);
}

}  // namespace llmroute::app
