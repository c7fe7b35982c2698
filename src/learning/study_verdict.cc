#include "learning/study_verdict.h"

#include <fmt/format.h>

#include "base/text.h"

namespace llmroute::learning {
namespace {

constexpr double kWorthSaying = 1;  // percent of the cost

double half_width(const Band& band) { return (band.high - band.low) / 2; }

// "80 % of the cost of MODEL ... saved at 99 % of its quality" where routing
// saves more than mixing constants at random; else empty.
std::string savings(const PoolReport& pool) {
  for (const size_t i : {size_t{2}, size_t{1}, size_t{0}}) {
    const Band& ours = pool.routers[0].saved[i];
    const Band& zero = pool.routers[1].saved[i];
    const double floor = zero.value > 0 ? zero.value : 0;
    if (!(ours.low > floor + kWorthSaying)) continue;
    return fmt::format(
        "saves {:.0f} % [{:.0f}, {:.0f}] of the cost of the best constant ({}) "
        "at {:.0f} % of its quality; mixing constants saves {:.0f} %",
        ours.value, ours.low, ours.high, pool.constants[pool.best].name,
        100 * kSavedAt[i], floor);
  }
  return "";
}

std::string pool_verdict(const PoolReport& pool) {
  const std::string& best = pool.constants[pool.best].name;
  if (pool.known_models < 2) {
    return fmt::format(
        "no gain: use {} (the router knows fewer than two of the models: "
        "neither configured nor with a head in the router model are {})",
        best, base::first_few(pool.unknown_models, 4));
  }
  const std::string saved = savings(pool);
  if (pool.gain.low > 0) {
    return fmt::format(
        "routing gains {:.3f} \u00b1 {:.3f} over the best constant at equal "
        "cost ({}){}",
        pool.gain.value, half_width(pool.gain), best,
        saved.empty() ? "" : "; it " + saved);
  }
  return saved.empty() ? fmt::format("no gain: use {}", best)
                       : "routing " + saved;
}

std::string pair_verdict(const PairReport& pair) {
  const Band& apgr = pair.scorers[0].apgr;
  if (!(apgr.low > 0.5)) {
    return fmt::format("no gain: use {} (APGR {:.3f}, by chance 0.5)",
                       pair.strong, apgr.value);
  }
  const char* over_length =
      pair.over_length.low > 0    ? ", more than length alone"
      : pair.over_length.high < 0 ? ", less than length alone"
                                  : ", no more than length alone";
  return fmt::format(
      "routing gains {:.3f} \u00b1 {:.3f} of the gap over mixing at random at "
      "equal calls{}; {:.0f} % of calls to {} saved at 95 % of its quality",
      apgr.value - 0.5, half_width(apgr), over_length,
      pair.scorers[0].fine.saved95, pair.strong);
}

}  // namespace

std::string verdict_of(const StudyReport& study) {
  if (study.pool) return pool_verdict(*study.pool);
  if (study.pair) return pair_verdict(*study.pair);
  return "no gain: the models do not differ";
}

}  // namespace llmroute::learning
