// How fast a model answers, learned from its calls: two decayed means, one that
// forgets fast and one that forgets slowly, of which the larger counts. Both
// age by the calls made meanwhile, of whatever model, and by time, so that they
// work with calls back to back as with calls hours apart. As nothing new is
// heard of a model, less of what was measured is believed (core/experience.h):
// what was once slow is tried again. A failure counts as its time-out. Pure.
#pragma once

#include <cstdint>
#include <optional>

namespace llmroute::learning {

// When something happens: after how many calls of all models, and by the clock.
struct Moment {
  double calls = 0;
  double seconds = 0;  // since some fixed time
};

// One call. Of a failure: how long one may have to wait for it, no tokens.
struct CallSpeed {
  double first_token = 0;       // seconds
  double tokens = 0;            // after the first
  double token_seconds = 0;     // that they took
  std::optional<double> whole;  // seconds until the answer was complete
  bool began = false;  // first_token was seen, or at least so long, in silence
};

// Weighted sums over the calls of one model, by weights that decay.
struct Speed {
  struct Sums {
    double weight = 0, first_token = 0, tokens = 0, token_seconds = 0;
  };
  Sums fast, slow;
  // Of logarithms of seconds, by weights that decay as the slow sums do.
  struct Logs {
    double weight = 0, sum = 0, squares = 0;

    // Seconds below which a share of them is, taken as log-normal. `z`:
    // standard score of the share. Nothing: there are none.
    std::optional<double> quantile(double z) const;
  };
  Logs whole;   // answers, until they were complete
  Logs first;   // until they began
  Moment last;  // when the last call was added

  // Adds a call. Numbers that make no sense are forgotten first.
  void add(const CallSpeed& call, Moment now);

  // Whether calls can have made it: no NaN, nothing negative that must not be,
  // nothing beyond all bounds.
  bool sane() const;

  // REQUIRES, of all below: sane(), at least one call was added.
  double first_token() const;               // seconds
  std::optional<double> per_token() const;  // seconds; nothing: no tokens yet
  // 1 just after a call, towards 0 as it ages. `models`: how many are called at
  // all; with more, each is tried again less often, so that tries are a fixed
  // share of all calls.
  double freshness(Moment now, size_t models) const;
};

// Standard scores.
inline constexpr double kMedian = 0, kNinetyPercent = 1.2815515655446004,
                        kNinetyFivePercent = 1.6448536269514722;

// core::Experience::unseen after `calls` of other models.
double unseen_share(double calls, size_t models);

// No wait counts as more than this, so that one failure is not remembered for
// days.
inline constexpr double kLongestWait = 60;  // seconds

}  // namespace llmroute::learning
