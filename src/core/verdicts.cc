#include "core/verdicts.h"

#include <algorithm>
#include <cmath>

namespace llmroute::core {
namespace {

double kept(double from, double to) {
  return std::exp2(-std::max(0.0, to - from) / kHalfLife);
}

constexpr double kMost = 1e15;  // beyond is no count

double logit(double p) { return std::log(p / (1 - p)); }

}  // namespace

bool Verdicts::sane() const {
  for (const double x : {good, bad, at}) {
    if (!(x >= 0 && x <= kMost)) return false;
  }
  return true;
}

void Verdicts::add(double score, double now) {
  if (!sane()) *this = {};
  const double share = kept(at, now);
  good = good * share + score;
  bad = bad * share + 1 - score;
  at = now;
}

double Verdicts::mean(double prior, double now) const {
  const double share = kept(at, now);
  return (kPriorWeight * prior + good * share) /
         (kPriorWeight + (good + bad) * share);
}

double correction_of(double prior, double mean) {
  if (prior <= 0 || prior >= 1) return 0;
  constexpr double kCertain = 1e-6;
  return logit(std::clamp(mean, kCertain, 1 - kCertain)) - logit(prior);
}

}  // namespace llmroute::core
