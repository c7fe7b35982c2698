#include "app/learner.h"

#include <algorithm>

#include "app/attempt_plan.h"
#include "app/experience.h"
#include "core/breaker.h"
#include "learning/latency.h"

namespace llmroute::app {
namespace {

using base::Status;
using core::FailureClass;
using store::AttemptRow;
using store::StatisticsRow;

double seconds(const store::Integer& ms) {
  return static_cast<double>(std::max<int64_t>(0, ms.value_or(0))) / 1000;
}

bool is(const AttemptRow& attempt, FailureClass failure) {
  return attempt.cause_class == core::failure_class_name(failure);
}

bool answered(const AttemptRow& attempt) { return attempt.state == "answered"; }

bool counts(const AttemptRow& attempt) {
  return is(attempt, FailureClass::kTransient);
}

// Says something of the model, not of us.
bool is_of_the_model(const AttemptRow& attempt) {
  return answered(attempt) || counts(attempt) ||
         is(attempt, FailureClass::kThrottled) ||
         is(attempt, FailureClass::kGone) ||
         is(attempt, FailureClass::kNotAllowed) ||
         is(attempt, FailureClass::kNoMoney) ||
         is(attempt, FailureClass::kProtocol);
}

learning::CallSpeed speed_of(const AttemptRow& attempt,
                             const core::Limits& limits) {
  learning::CallSpeed speed;
  if (!answered(attempt)) {
    speed.first_token =
        seconds(std::min(limits.first_token, limits.total).count());
    return speed;
  }
  const double whole = seconds(attempt.ms);
  speed.whole = whole;
  speed.first_token =
      attempt.first_token_ms ? seconds(attempt.first_token_ms) : whole;
  const int64_t shown =
      attempt.output_tokens.value_or(0) - attempt.reasoning_tokens.value_or(0);
  if (attempt.first_token_ms && shown > 1) {
    speed.tokens = static_cast<double>(shown - 1);
    speed.token_seconds = std::max(0.0, whole - speed.first_token);
  }
  return speed;
}

void put_speed(const learning::Speed& speed, StatisticsRow& row) {
  row.fast_weight = speed.fast.weight;
  row.fast_first = speed.fast.first_token;
  row.fast_tokens = speed.fast.tokens;
  row.fast_seconds = speed.fast.token_seconds;
  row.slow_weight = speed.slow.weight;
  row.slow_first = speed.slow.first_token;
  row.slow_tokens = speed.slow.tokens;
  row.slow_seconds = speed.slow.token_seconds;
  row.log_weight = speed.log_weight;
  row.log_sum = speed.log_sum;
  row.log_squares = speed.log_squares;
}

// Ends the probe, if this was one.
void learn_breaker(const AttemptRow& attempt, int64_t now, StatisticsRow& row) {
  const core::Breaker::Time time = breaker_time(now);
  core::Breaker breaker =
      core::Breaker::unpack(row.breaker, time).value_or(core::Breaker());
  if (answered(attempt)) {
    breaker.succeed(time, true);
  } else if (counts(attempt)) {
    breaker.fail(time, true, system_random());
  }
  row.probe_until = 0;
  row.breaker = breaker.pack();
}

}  // namespace

void AttemptLearner::expect_hold(const std::string& decision, int64_t number,
                                 std::chrono::milliseconds wait) {
  holds_[{decision, number}] = std::min(wait, kLongestHold);
}

Status AttemptLearner::learn(store::Database& database,
                             const store::DecisionRow& decision,
                             const AttemptRow& attempt, int64_t time) {
  const core::Provider* provider = config_.find_provider(attempt.provider);
  if (provider == nullptr || !is_of_the_model(attempt)) return {};
  LLMROUTE_TRY(StatisticsRow row,
               store::find_statistics(
                   database, statistics_key(*provider, attempt.model)));
  LLMROUTE_TRY(const int64_t calls, store::counted_calls(database));
  if (answered(attempt) || counts(attempt)) {
    learning::Speed speed = app::speed_of(row);
    speed.add(speed_of(attempt, config_.limits),
              {static_cast<double>(calls), static_cast<double>(time) / 1000});
    put_speed(speed, row);
    row.at_call = calls;
    row.time = time;
  }
  row.calls = std::max<int64_t>(0, row.calls) + 1;
  if (answered(attempt)) {
    row.answered = std::max<int64_t>(0, row.answered) + 1;
  } else {
    row.last_error = attempt.cause;
    row.last_error_time = time;
  }
  learn_breaker(attempt, time, row);
  if (const auto hold = holds_.extract({decision.id, attempt.number})) {
    row.hold_until = time + hold.mapped().count();
  }
  return store::put_statistics(database, row);
}

bool is_countable(core::FailureClass failure) {
  return failure == FailureClass::kTransient;
}

}  // namespace llmroute::app
