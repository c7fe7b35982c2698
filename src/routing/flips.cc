#include "routing/flips.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "routing/selection.h"

namespace llmroute::routing {
namespace {

using core::Candidate;
using core::Decision;
using core::Model;

// How far a lever is turned: ratios up to 2^20, abilities up to 8 logits.
constexpr int kSteps = 40;
constexpr double kRatioPerStep = 0.5;    // octaves
constexpr double kAbilityPerStep = 0.2;  // logits
constexpr double kLeastUnit = 1e-9;      // dollars, where a lever stands at 0
constexpr double kLeastDollars = 1e-12;
constexpr double kFinest = 1e-4;   // of a step: no narrower win is looked for
constexpr int kMostHalvings = 60;  // beyond the precision of a double

double strength(const Candidate& candidate, const core::Analysis& analysis) {
  const Model& model = *candidate.model;
  return analysis.slope * core::mean_over(analysis.domain, model.ability) +
         core::learned_logit(analysis, model.name, model.id) +
         candidate.learned;
}

// Whether `a` is at least as good as `b` in everything, whatever the worth, the
// wait and the difficulty.
bool dominates(const Candidate& a, double strength_a, const Candidate& b,
               double strength_b) {
  if (!a.cost || !b.cost) return false;
  return strength_a >= strength_b && *a.cost <= *b.cost &&
         a.seconds <= b.seconds;
}

std::span<const Candidate> contenders(const Decision& decision) {
  return std::span(decision.candidates)
      .first(decision.candidates.size() - decision.appended);
}

// A candidate as worth sees it.
struct Runner {
  const Model* model = nullptr;
  std::optional<core::Money> cost;
  double seconds = 0;
  double learned = 0;
  size_t tier = 0;
  std::vector<double> good;  // at each difficulty that doubt may use

  double spent(const core::Worth& worth) const {
    return cost.value_or(core::Money{}).usd() + worth.second * seconds;
  }
};

// The candidates again, with a number changed.
class Field {
 public:
  // Only `kept` and those that could win are looked at.
  Field(const Decision& decision, const core::Config& config,
        const std::vector<const Model*>& kept);

  // Whether worth alone chose, and no session or chance.
  bool decided(const Decision& decision) const {
    return winner(Lever::kWorth, nullptr, decision.worth.good_answer) ==
           decision.candidates.front().model;
  }

  // As order_by_worth() would put first.
  const Model* winner(Lever lever, const Model* of, double value) const;

 private:
  void judge(Runner& runner) const;
  void change(Lever lever, double value, Runner& runner) const;
  const Model* first(const core::Worth& worth,
                     const std::optional<Runner>& instead) const;

  const Decision& decision_;
  const core::Config& config_;
  std::vector<Runner> runners_;
};

Field::Field(const Decision& decision, const core::Config& config,
             const std::vector<const Model*>& kept)
    : decision_(decision), config_(config) {
  std::vector<std::pair<double, const Candidate*>> order;
  for (const Candidate& one : contenders(decision)) {
    order.emplace_back(strength(one, decision.analysis), &one);
  }
  std::stable_sort(
      order.begin(), order.end(),
      [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::pair<double, const Candidate*>> front;
  for (const auto& [its_strength, one] : order) {
    const bool needed =
        std::find(kept.begin(), kept.end(), one->model) != kept.end();
    const bool beaten = std::any_of(
        front.begin(), front.end(), [&, s = its_strength, c = one](auto& by) {
          return dominates(*by.second, by.first, *c, s);
        });
    if (!needed && beaten) continue;
    runners_.push_back(
        {one->model, one->cost, one->seconds, one->learned, 0, {}});
    judge(runners_.back());
    // One whose numbers are changed may stop beating others.
    if (!needed) front.emplace_back(its_strength, one);
  }
}

// What its abilities make of it.
void Field::judge(Runner& runner) const {
  const core::Analysis& analysis = decision_.analysis;
  runner.tier = config_.tier_of(*runner.model);
  runner.good.clear();
  steps_raised(analysis.confidence, [&](int step) {
    const double difficulty = analysis.difficulty + step * kRaiseStep;
    runner.good.push_back(
        chance_good(analysis, *runner.model, difficulty, runner.learned));
    return size_t{0};
  });
}

void Field::change(Lever lever, double value, Runner& runner) const {
  if (lever == Lever::kPrice && runner.cost) {
    runner.cost = core::Money{
        std::llround(static_cast<double>(runner.cost->pico) * value)};
  } else if (lever == Lever::kTime) {
    runner.seconds *= value;
  } else if (lever == Lever::kAbility) {
    const Model* of = runner.model;
    Model changed = *of;
    for (double& ability : changed.ability) ability += value;
    runner.model = &changed;
    judge(runner);
    runner.model = of;
  }
}

// `instead` stands for the runner of its model.
const Model* Field::first(const core::Worth& worth,
                          const std::optional<Runner>& instead) const {
  const auto first_at = [&](int step) {
    const Runner* first = nullptr;
    Score best;
    for (const Runner& each : runners_) {
      const bool changed = instead && instead->model == each.model;
      const Runner& one = changed ? *instead : each;
      const Score score = score_of(one.cost.has_value(), one.spent(worth),
                                   one.good[static_cast<size_t>(step)], worth);
      if (first == nullptr || better(score, *one.model, best, *first->model)) {
        first = &one;
        best = score;
      }
    }
    return first;
  };
  const int step = steps_raised(decision_.analysis.confidence,
                                [&](int at) { return first_at(at)->tier; });
  return first_at(step)->model;
}

const Model* Field::winner(Lever lever, const Model* of, double value) const {
  core::Worth worth = decision_.worth;
  if (lever == Lever::kWorth) worth.good_answer = value;
  if (lever == Lever::kWait) worth.second = value;
  std::optional<Runner> changed;
  for (const Runner& one : runners_) {
    if (one.model == of) changed = one;
  }
  if (changed) change(lever, value, *changed);
  return first(worth, changed);
}

// A lever turned one way, in steps from where it stands.
struct Way {
  Lever lever;
  const Model* of;
  double from;
  bool up;

  double at(double step) const {
    const double sign = up ? 1 : -1;
    if (lever == Lever::kAbility) return from + sign * step * kAbilityPerStep;
    if (step >= kSteps && !up) return 0;
    if (from > 0) return from * std::exp2(sign * step * kRatioPerStep);
    return step > 0 ? kLeastUnit * std::exp2(step) : 0;
  }
};

using Test = std::function<bool(const Model*)>;

class Search {
 public:
  Search(const Field& field, const Way& way, const Test& test)
      : field_(field), way_(way), test_(test) {}

  std::optional<Flip> run() {
    if (way_.from <= 0 && !way_.up && way_.lever != Lever::kAbility) {
      return std::nullopt;
    }
    const Model* before = winner(way_.at(0));
    for (int step = 1; step <= kSteps; ++step) {
      const Model* after = winner(way_.at(step));
      if (const auto found = between(step - 1, before, step, after)) {
        return rounded(*found);
      }
      before = after;
    }
    return std::nullopt;
  }

 private:
  using Span = std::pair<double, double>;  // steps: not yet, and there

  const Model* winner(double value) const {
    return field_.winner(way_.lever, way_.of, value);
  }

  // Where the test first holds between two steps.
  std::optional<Span> between(double low, const Model* at_low, double high,
                              const Model* at_high) const {
    if (at_low == at_high) return std::nullopt;
    if (test_(at_high) && high - low < 0.5) return Span{low, high};
    if (high - low < kFinest) return std::nullopt;
    const double middle = (low + high) / 2;
    const Model* at_middle = winner(way_.at(middle));
    if (const auto found = between(low, at_low, middle, at_middle)) {
      return found;
    }
    return between(middle, at_middle, high, at_high);
  }

  // The half in which the test begins to hold; false if there is none.
  bool halve(Span& span) const {
    const double middle = (span.first + span.second) / 2;
    if (middle == span.first || middle == span.second) return false;
    (test_(winner(way_.at(middle))) ? span.second : span.first) = middle;
    return true;
  }

  // The number of so many digits at or beyond `to`.
  double beyond(double to, int digits) const {
    const int exponent =
        to == 0 ? 0 : static_cast<int>(std::floor(std::log10(std::fabs(to))));
    double unit = std::pow(10.0, exponent - digits + 1);
    if (in_dollars()) unit = std::max(unit, kLeastDollars);
    const double scaled = to / unit;
    return exactly((way_.up ? std::ceil(scaled) : std::floor(scaled)) * unit);
  }

  // The shortest number beyond the edge that is a true flip. The edge is found
  // as finely as the number asks.
  std::optional<Flip> rounded(Span edge) const {
    int halved = 0;
    for (int digits = 2; digits <= 15; ++digits) {
      while (beyond(way_.at(edge.first), digits) !=
                 beyond(way_.at(edge.second), digits) &&
             halved < kMostHalvings && halve(edge)) {
        ++halved;
      }
      const double value = beyond(way_.at(edge.second), digits);
      const double almost = way_.from + 0.99 * (value - way_.from);
      const Model* there = winner(value);
      if (test_(there) && !test_(winner(almost))) {
        return Flip{way_.lever, way_.of, there, way_.from, value};
      }
    }
    return std::nullopt;
  }

  bool in_dollars() const {
    return way_.lever == Lever::kWorth || way_.lever == Lever::kWait;
  }

  // As it comes back when it has been printed.
  static double exactly(double value) {
    const std::string text = fmt::format("{:.12f}", value);
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }

  const Field& field_;
  const Way& way_;
  const Test& test_;
};

// How large a change is, to compare changes of different levers.
double size_of(const Flip& flip, double slope) {
  if (flip.lever == Lever::kAbility) return std::fabs(flip.to) * slope;
  if (flip.to <= 0 || flip.from <= 0) return HUGE_VAL;
  return std::fabs(std::log(flip.to / flip.from));
}

bool decided_by_worth(const Decision& decision) {
  return decision.selection == core::Selection::kBest &&
         contenders(decision).size() > 1;
}

}  // namespace

std::string_view lever_name(Lever lever) {
  switch (lever) {
    case Lever::kWorth:
      return "worth";
    case Lever::kWait:
      return "wait";
    case Lever::kPrice:
      return "price";
    case Lever::kTime:
      return "time";
    case Lever::kAbility:
      return "ability";
  }
  return "";
}

std::vector<Flip> flips(const Decision& decision, const core::Config& config,
                        bool ceiling) {
  std::vector<Flip> found;
  if (!decided_by_worth(decision)) return found;
  const Model* chosen = decision.candidates.front().model;
  const Field field(decision, config, {chosen});
  if (!field.decided(decision)) return found;
  const Test test = [&](const Model* winner) { return winner != chosen; };
  std::vector<Way> ways = {
      {Lever::kWorth, nullptr, decision.worth.good_answer, false},
      {Lever::kWorth, nullptr, decision.worth.good_answer, true},
      {Lever::kWait, nullptr, decision.worth.second, false},
      {Lever::kWait, nullptr, decision.worth.second, true}};
  if (!ceiling) ways.push_back({Lever::kPrice, chosen, 1, true});
  for (const Way& way : ways) {
    if (auto flip = Search(field, way, test).run()) found.push_back(*flip);
  }
  return found;
}

std::vector<Flip> ways_to(const Model& wanted, const Decision& decision,
                          const core::Config& config, bool ceiling) {
  std::vector<Flip> found;
  if (!decided_by_worth(decision)) return found;
  const Model* chosen = decision.candidates.front().model;
  const Field field(decision, config, {chosen, &wanted});
  if (!field.decided(decision)) return found;
  const Test test = [&](const Model* winner) { return winner == &wanted; };
  const double worth = decision.worth.good_answer;
  const double wait = decision.worth.second;
  std::vector<Way> ways = {{Lever::kWorth, nullptr, worth, false},
                           {Lever::kWorth, nullptr, worth, true},
                           {Lever::kWait, nullptr, wait, false},
                           {Lever::kWait, nullptr, wait, true},
                           {Lever::kTime, chosen, 1, true},
                           {Lever::kTime, &wanted, 1, false},
                           {Lever::kAbility, &wanted, 0, true}};
  if (!ceiling) {
    ways.push_back({Lever::kPrice, chosen, 1, true});
    ways.push_back({Lever::kPrice, &wanted, 1, false});
  }
  for (const Way& way : ways) {
    if (auto flip = Search(field, way, test).run()) found.push_back(*flip);
  }
  const double slope = decision.analysis.slope;
  std::stable_sort(found.begin(), found.end(),
                   [&](const Flip& a, const Flip& b) {
                     return size_of(a, slope) < size_of(b, slope);
                   });
  return found;
}

}  // namespace llmroute::routing
