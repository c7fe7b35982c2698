#include "learning/latency.h"

#include <algorithm>
#include <cmath>

#include "core/experience.h"

namespace llmroute::learning {
namespace {

// Memory in calls and in seconds. By simulation of two equal models whose speed
// is swapped (tests/unit/learning/latency_test.cc): shorter ones try a slow
// model too often, longer ones notice the swap too late.
constexpr double kFastCalls = 8, kFastSeconds = 600;
constexpr double kSlowCalls = 40, kSlowSeconds = 86'400;
constexpr double kAgeCalls = 46;
constexpr double kUnseenCalls = 10;

// Sums and moments beyond come from no call; quotients of those within are
// finite. A weight is 1 or more after a call.
constexpr double kMost = 1e15, kLeastWeight = 1e-6;

bool in_range(double x) { return x >= 0 && x <= kMost; }

double aged(Moment from, Moment to, double calls, double seconds) {
  return std::max(0.0, to.calls - from.calls) / calls +
         std::max(0.0, to.seconds - from.seconds) / seconds;
}

void scale(Speed::Sums& sums, double by) {
  sums.weight *= by;
  sums.first_token *= by;
  sums.tokens *= by;
  sums.token_seconds *= by;
}

void add_to(Speed::Sums& sums, const CallSpeed& call) {
  sums.weight += 1;
  sums.first_token += std::min(call.first_token, kLongestWait);
  sums.tokens += call.tokens;
  sums.token_seconds += call.token_seconds;
}

void age(Speed::Logs& logs, double by) {
  logs.weight *= by;
  logs.sum *= by;
  logs.squares *= by;
}

void add_to(Speed::Logs& logs, double seconds) {
  const double log = std::log(std::max(0.001, seconds));
  logs.weight += 1;
  logs.sum += log;
  logs.squares += log * log;
}

bool sane_logs(const Speed::Logs& logs) {
  return in_range(logs.weight) && in_range(logs.squares) &&
         in_range(std::abs(logs.sum));
}

bool sane_sums(const Speed::Sums& sums) {
  for (const double x :
       {sums.weight, sums.first_token, sums.tokens, sums.token_seconds}) {
    if (!in_range(x)) return false;
  }
  return sums.weight >= kLeastWeight;
}

double models_at_least_one(size_t models) {
  return std::max(1.0, static_cast<double>(models) - 1);
}

}  // namespace

bool Speed::sane() const {
  return in_range(last.calls) && in_range(last.seconds) && sane_sums(fast) &&
         sane_sums(slow) && sane_logs(whole) && sane_logs(first);
}

void Speed::add(const CallSpeed& call, Moment now) {
  if (!sane()) *this = {};
  scale(fast, std::exp(-aged(last, now, kFastCalls, kFastSeconds)));
  const double kept = std::exp(-aged(last, now, kSlowCalls, kSlowSeconds));
  scale(slow, kept);
  age(whole, kept);
  age(first, kept);
  add_to(fast, call);
  add_to(slow, call);
  if (call.whole) add_to(whole, *call.whole);
  if (call.began) add_to(first, call.first_token);
  last = now;
}

double Speed::first_token() const {
  return std::max(fast.first_token / fast.weight,
                  slow.first_token / slow.weight);
}

std::optional<double> Speed::per_token() const {
  constexpr double kFewest = 1e-6;
  if (slow.tokens < kFewest) return std::nullopt;
  const double slowly = slow.token_seconds / slow.tokens;
  if (fast.tokens < kFewest) return slowly;
  return std::max(fast.token_seconds / fast.tokens, slowly);
}

double Speed::freshness(Moment now, size_t models) const {
  const double age =
      aged(last, now, kAgeCalls * models_at_least_one(models), kSlowSeconds);
  return std::exp(-age);
}

std::optional<double> Speed::Logs::quantile(double z) const {
  constexpr double kFewest = 1e-6;
  if (weight < kFewest) return std::nullopt;
  const double mean = sum / weight;
  const double variance = std::max(0.0, squares / weight - mean * mean);
  return std::exp(mean + z * std::sqrt(variance));
}

double unseen_share(double calls, size_t models) {
  const double age = calls / (kUnseenCalls * models_at_least_one(models));
  return std::max(core::kBestShare, std::exp(-age));
}

}  // namespace llmroute::learning
