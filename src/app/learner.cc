#include "app/learner.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "app/attempt_plan.h"
#include "app/experience.h"
#include "core/breaker.h"
#include "learning/latency.h"
#include "routing/estimate.h"

namespace llmroute::app {
namespace {

using base::Result;
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

// It was silent while another one, asked later, began to answer.
bool outrun(const AttemptRow& attempt) {
  return !answered(attempt) && attempt.cause == kOutrun && !attempt.hedge;
}

// Says something of the model, not of us.
bool is_of_the_model(const AttemptRow& attempt) {
  return answered(attempt) || counts(attempt) || outrun(attempt) ||
         is(attempt, FailureClass::kThrottled) ||
         is(attempt, FailureClass::kGone) ||
         is(attempt, FailureClass::kNotAllowed) ||
         is(attempt, FailureClass::kNoMoney) ||
         is(attempt, FailureClass::kProtocol);
}

// Tokens of the answer without those of reasoning; a token is about 4 bytes.
double answer_tokens(const store::Ended& ended) {
  const AttemptRow& attempt = *ended.attempt;
  const int64_t tokens =
      attempt.output_tokens
          ? *attempt.output_tokens - attempt.reasoning_tokens.value_or(0)
          : ended.decision->answer_bytes.value_or(0) / 4;
  return static_cast<double>(std::max<int64_t>(0, tokens));
}

// An answer that came in one piece does not tell when it began: its time is
// divided as the registry would have it. `model`: null if that is not known.
void divide_time(const core::Model* model, double tokens,
                 learning::CallSpeed& speed) {
  speed.first_token = *speed.whole;
  if (model == nullptr || tokens < 1) return;
  const double listed = tokens * routing::seconds_per_token(*model);
  speed.tokens = tokens;
  speed.token_seconds =
      *speed.whole * listed / (model->first_token_seconds + listed);
  speed.first_token -= speed.token_seconds;
}

learning::CallSpeed speed_of(const store::Ended& ended,
                             const core::Limits& limits,
                             const core::Model* model) {
  const AttemptRow& attempt = *ended.attempt;
  learning::CallSpeed speed;
  if (outrun(attempt)) {
    speed.first_token = seconds(attempt.ms);
    speed.began = true;
    return speed;
  }
  if (!answered(attempt)) {
    speed.first_token =
        seconds(std::min(limits.first_token, limits.total).count());
    return speed;
  }
  const double tokens = answer_tokens(ended);
  speed.whole = seconds(attempt.ms);
  speed.began = attempt.first_token_ms.has_value();
  if (!speed.began) {
    divide_time(model, tokens, speed);
    return speed;
  }
  speed.first_token = seconds(attempt.first_token_ms);
  if (tokens > 1) {
    speed.tokens = tokens - 1;
    speed.token_seconds = std::max(0.0, *speed.whole - speed.first_token);
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
  row.log_weight = speed.whole.weight;
  row.log_sum = speed.whole.sum;
  row.log_squares = speed.whole.squares;
  row.begin_weight = speed.first.weight;
  row.begin_sum = speed.first.sum;
  row.begin_squares = speed.first.squares;
}

// What is known of a model, while a transaction adds to it.
struct Learned {
  StatisticsRow row;
  learning::Speed speed;
  core::Breaker breaker;
};

// Null: of no provider that is known.
Result<Learned*> find_learned(store::Database& database,
                              const core::Config& config,
                              const store::Ended& ended,
                              std::vector<Learned>& all) {
  const AttemptRow& attempt = *ended.attempt;
  for (Learned& one : all) {
    const bool same =
        one.row.model == attempt.model && one.row.provider == attempt.provider;
    if (same) return &one;
  }
  const core::Provider* provider = config.find_provider(attempt.provider);
  if (provider == nullptr) return nullptr;
  LLMROUTE_TRY(StatisticsRow row,
               store::find_statistics(
                   database, statistics_key(*provider, attempt.model)));
  const learning::Speed speed = app::speed_of(row);
  const auto breaker =
      core::Breaker::unpack(row.breaker, breaker_time(ended.time));
  all.push_back({std::move(row), speed, breaker.value_or(core::Breaker())});
  return &all.back();
}

// A count that makes no sense starts anew.
int64_t one_more(int64_t count) {
  return store::is_count(count) ? count + 1 : 1;
}

// `calls`: of all models before this one. Ends the probe, if this was one.
void learn_one(const store::Ended& ended, const core::Config& config,
               int64_t calls, Learned& learned) {
  const AttemptRow& attempt = *ended.attempt;
  StatisticsRow& row = learned.row;
  const core::Breaker::Time time = breaker_time(ended.time);
  if (answered(attempt) || counts(attempt) || outrun(attempt)) {
    const learning::CallSpeed speed =
        speed_of(ended, config.limits, config.find_model(attempt.model));
    learned.speed.add(speed, {static_cast<double>(calls),
                              static_cast<double>(ended.time) / 1000});
    if (speed.began) row.begun = one_more(row.begun);
    row.at_call = calls;
    row.time = ended.time;
  }
  if (outrun(attempt)) return;  // neither good nor bad
  row.calls = one_more(row.calls);
  row.probe_until = 0;
  if (answered(attempt)) {
    row.answered = one_more(row.answered);
    learned.breaker.succeed(time, true);
    return;
  }
  row.last_error = attempt.cause;
  row.last_error_time = ended.time;
  if (counts(attempt)) learned.breaker.fail(time, true, system_random());
}

}  // namespace

void AttemptLearner::expect_hold(const std::string& decision, int64_t number,
                                 std::chrono::milliseconds wait) {
  holds_[{decision, number}] = std::min(wait, kLongestHold);
}

Status AttemptLearner::learn(store::Database& database,
                             std::span<const store::Ended> ended) {
  std::vector<Learned> all;
  LLMROUTE_TRY(int64_t calls, store::counted_calls(database));
  for (const store::Ended& one : ended) {
    if (!is_of_the_model(*one.attempt)) continue;
    LLMROUTE_TRY(Learned * learned, find_learned(database, config_, one, all));
    if (learned == nullptr) continue;
    learn_one(one, config_, calls++, *learned);
    if (const auto hold =
            holds_.extract({one.decision->id, one.attempt->number})) {
      learned->row.hold_until = one.time + hold.mapped().count();
    }
  }
  for (Learned& one : all) {
    put_speed(one.speed, one.row);
    one.row.breaker = one.breaker.pack();
    LLMROUTE_CHECK(store::put_statistics(database, one.row));
  }
  return {};
}

bool is_countable(core::FailureClass failure) {
  return failure == FailureClass::kTransient;
}

}  // namespace llmroute::app
