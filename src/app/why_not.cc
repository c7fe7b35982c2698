#include "app/why_not.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "core/money.h"

namespace llmroute::app {
namespace {

using core::Candidate;
using core::Decision;
using core::Model;
using routing::Flip;
using routing::Lever;

// Dollars with all their digits.
std::string exact_usd(double usd) {
  std::string text = fmt::format("{:.12f}", usd);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

const Candidate* find(const Decision& decision, const Model& model) {
  const auto found = std::find_if(
      decision.candidates.begin(), decision.candidates.end(),
      [&](const Candidate& one) { return one.model->name == model.name; });
  return found == decision.candidates.end() ? nullptr : &*found;
}

base::Result<const Model*> find_model(const std::string& name,
                                      const Routed& routed) {
  core::RoutingOptions options = routed.decider->options();
  options.models = {name};
  // Says what is nearest if there is none.
  LLMROUTE_TRY(const Decision named,
               routed.decider->decide(routed.prompt, options, std::nullopt));
  return routed.config->find_model(name);
}

// How the model would fare in another decision, which has no obstacle.
void compare(const Decision& decision, const core::Config& config, bool ceiling,
             WhyNot& why) {
  const Candidate* candidate = find(decision, *why.wanted);
  if (candidate == nullptr) return;
  why.candidate = *candidate;
  const Candidate& first = decision.candidates.front();
  why.obstacle_suffices = candidate == &first && !why.obstacle.empty();
  if (candidate == &first) return;
  why.behind = core::Money{
      static_cast<int64_t>(1e12 * (first.worth - candidate->worth))};
  why.ways = routing::ways_to(*candidate->model, decision, config, ceiling);
}

// The options or a rule named others.
base::Status without_the_names(const Routed& routed, WhyNot& why) {
  const Decision& decision = routed.decision;
  const std::string& chosen = decision.candidates.front().model->name;
  const bool ceiling = routed.config->limits.ceiling.has_value();
  if (decision.source == core::Source::kRule) {
    why.obstacle =
        fmt::format("rule '{}' sends it to {}", *decision.rule, chosen);
    why.config = std::make_unique<core::Config>(*routed.config);
    std::erase_if(why.config->rules, [&](const core::Rule& rule) {
      return rule.name == *decision.rule;
    });
    LLMROUTE_TRY(const Decider decider, routed.decider->under(*why.config));
    LLMROUTE_TRY(const Decision free, decider.decide(routed.prompt));
    compare(free, *why.config, ceiling, why);
    return {};
  }
  core::RoutingOptions options = routed.decider->options();
  const bool named = !options.models.empty() || options.route;
  why.obstacle = named ? fmt::format("'{}' was asked for", decision.requested)
                       : fmt::format("route '{}' is tried in its own order",
                                     decision.route);
  if (!named) return {};
  options.models.clear();
  options.route.reset();
  LLMROUTE_TRY(const Decision free,
               routed.decider->decide(routed.prompt, options, std::nullopt));
  compare(free, *routed.config, ceiling, why);
  return {};
}

std::string candidate_words(const Candidate& candidate) {
  return fmt::format(
      "{:.2f} good, {}, {:.1f} s, worth {}", candidate.good,
      candidate.cost ? core::display_usd(*candidate.cost) : "cost unknown",
      candidate.seconds, core::display_usd(candidate.worth));
}

std::string headline(const WhyNot& why) {
  if (why.chosen) return "it is chosen";
  std::string text = why.obstacle;
  if (why.obstacle.empty()) {
    text = candidate_words(*why.candidate);
    if (why.behind.pico > 0) {
      text += fmt::format(": {} less than the chosen one",
                          core::display_usd(why.behind));
    }
  } else if (why.obstacle_suffices) {
    text += "; else it would be chosen";
  } else if (why.candidate) {
    text += fmt::format("; else {}", candidate_words(*why.candidate));
  }
  return text;
}

}  // namespace

base::Result<WhyNot> why_not(const std::string& model, const Routed& routed) {
  const Decision& decision = routed.decision;
  const bool ceiling = routed.config->limits.ceiling.has_value();
  WhyNot why;
  LLMROUTE_TRY(why.wanted, find_model(model, routed));
  const auto excluded = std::find_if(
      decision.excluded.begin(), decision.excluded.end(),
      [&](const core::Exclusion& one) { return one.model == why.wanted; });
  if (excluded != decision.excluded.end()) {
    why.obstacle = "excluded: " + excluded->reason;
    const bool too_dear = excluded->gate == core::Gate::kBudget;
    LLMROUTE_TRY(const Decision admitting,
                 routed.decider->decide_admitting(routed.prompt, *why.wanted,
                                                  !too_dear));
    compare(admitting, *routed.config, ceiling && !too_dear, why);
    return why;
  }
  if (decision.candidates.empty()) return why;
  why.chosen = decision.candidates.front().model == why.wanted;
  if (why.chosen) return why;
  if (decision.selection == core::Selection::kOrdered ||
      find(decision, *why.wanted) == nullptr) {
    LLMROUTE_CHECK(without_the_names(routed, why));
    return why;
  }
  compare(decision, *routed.config, ceiling, why);
  return why;
}

std::string flip_condition(const Flip& flip) {
  const char* than = flip.to < flip.from ? "only" : "as much as";
  switch (flip.lever) {
    case Lever::kWorth:
      return fmt::format("a good answer is worth {0} ${1} (--worth {1})", than,
                         exact_usd(flip.to));
    case Lever::kWait:
      return fmt::format("a second of waiting costs {0} ${1} (--wait {1})",
                         than, exact_usd(flip.to));
    case Lever::kPrice:
      return fmt::format("{} costs {} times as much", flip.of->name, flip.to);
    case Lever::kTime:
      return fmt::format("{} takes {} times as long", flip.of->name, flip.to);
    case Lever::kAbility:
      return fmt::format("{} is better by {} in every domain (ability)",
                         flip.of->name, flip.to);
  }
  return {};
}

void write_flip(base::JsonWriter& json, const Flip& flip) {
  json.begin_object().field("winner", flip.winner->name);
  json.field("lever", routing::lever_name(flip.lever)).key("of");
  flip.of != nullptr ? json.value(flip.of->name) : json.null();
  json.key("from").raw(exact_usd(flip.from));
  json.key("to").raw(exact_usd(flip.to)).end_object();
}

std::string why_not_lines(const WhyNot& why) {
  std::string text =
      fmt::format("why not    {}: {}\n", why.wanted->name, headline(why));
  for (const Flip& flip : why.ways) {
    text += fmt::format("{:<10} {} {}\n", "",
                        why.obstacle.empty() ? "chosen if" : "chosen then if",
                        flip_condition(flip));
  }
  const bool named_only =
      !why.chosen && !why.obstacle_suffices && why.ways.empty();
  if (named_only) {
    text += fmt::format("{:<10} no single number chooses it: -m {}\n", "",
                        why.wanted->name);
  }
  return text;
}

void write_why_not(base::JsonWriter& json, const WhyNot& why) {
  json.begin_object().field("model", why.wanted->name);
  json.field("chosen", why.chosen).text_or_null("obstacle", why.obstacle);
  json.field("obstacle_suffices", why.obstacle_suffices);
  json.key("worth_usd");
  why.candidate ? json.value(why.candidate->worth) : json.null();
  json.list("changes", why.ways, write_flip).end_object();
}

}  // namespace llmroute::app
