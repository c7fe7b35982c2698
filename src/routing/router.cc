#include "routing/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <span>

#include "base/names.h"
#include "base/text.h"
#include "routing/estimate.h"
#include "routing/experience.h"
#include "routing/gates.h"
#include "routing/selection.h"

namespace llmroute::routing {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using core::Config;
using core::Decision;
using core::Model;

template <class T>
std::vector<std::string> known_names(const std::vector<T>& items) {
  std::vector<std::string> names;
  for (const T& item : items) {
    names.push_back(item.name);
    if constexpr (requires { item.aliases; }) {
      names.insert(names.end(), item.aliases.begin(), item.aliases.end());
    }
  }
  return names;
}

template <class T>
Error unknown_name(const char* kind, const std::string& name,
                   const std::vector<T>& known) {
  return {ErrorKind::kUsage,
          fmt::format("unknown {} '{}'{}", kind, base::shown_name(name),
                      base::name_help(name, known_names(known)))};
}

using Models = std::span<const Model* const>;

// What was asked for, before any gate.
struct Wanted {
  std::vector<const Model*> listed;  // for this request
  Models models;                     // those, or the default route's
  core::Selection selection = core::Selection::kBest;
};

Wanted make_wanted(std::vector<const Model*> models,
                   core::Selection selection) {
  Wanted wanted{std::move(models), {}, selection};
  wanted.models = wanted.listed;  // stays where it is when moved
  return wanted;
}

// Models in order, each once.
class ModelList {
 public:
  explicit ModelList(const Config& config)
      : first_(config.models.data()), listed_(config.models.size()) {}

  void add(const Model& model) {
    const auto place = static_cast<size_t>(&model - first_);
    if (!listed_[place]) models_.push_back(&model);
    listed_[place] = true;
  }
  std::vector<const Model*> take() { return std::move(models_); }

 private:
  const Model* first_;
  std::vector<bool> listed_;
  std::vector<const Model*> models_;
};

void add_matching(ModelList& models, const Config& config,
                  const std::string& glob) {
  for (const Model& model : config.models) {
    if (base::glob_match(glob, model.name)) models.add(model);
  }
}

// Members of a route in order: models, globs and other routes. Cycles were
// refused when the config was read.
void expand_route(const Config& config, const core::Route& route,
                  ModelList& models) {
  if (route.models.empty()) {
    for (const Model& model : config.models) models.add(model);
  }
  for (const std::string& member : route.models) {
    if (const Model* model = config.find_model(member)) {
      models.add(*model);
    } else if (const core::Route* inner = config.find_route(member)) {
      expand_route(config, *inner, models);
    } else {
      add_matching(models, config, member);
    }
  }
}

Result<Wanted> named_models(const Config& config,
                            const std::vector<std::string>& names) {
  ModelList models(config);
  for (const std::string& name : names) {
    const Model* model = config.find_model(name);
    if (model == nullptr) return unknown_name("model", name, config.models);
    models.add(*model);
  }
  return make_wanted(models.take(), core::Selection::kOrdered);
}

std::vector<const Model*> members_of(const Config& config,
                                     const core::Route& route) {
  ModelList models(config);
  expand_route(config, route, models);
  return models.take();
}

// `by_default`: the default route's members.
Result<Wanted> route_members(const Config& config, Models by_default,
                             const std::string& name, Decision& decision) {
  const core::Route* route = config.find_route(name);
  if (route == nullptr) return unknown_name("route", name, config.routes);
  decision.route = name;
  decision.no_fallback = decision.no_fallback || route->no_fallback;
  decision.hedge = route->hedge;
  if (decision.prompt_template.empty()) {
    decision.prompt_template = route->prompt_template;
  }
  if (name == config.default_route) {
    return Wanted{{}, by_default, route->selection};
  }
  return make_wanted(members_of(config, *route), route->selection);
}

// Options win over the rule, the rule over the default route.
Result<Wanted> choose_wanted(const Config& config, Models by_default,
                             const Request& request, const core::Rule* rule,
                             Decision& decision) {
  const core::RoutingOptions& options = request.options;
  const auto asked_by = [&options](bool environment) {
    if (options.from_record) return core::Source::kRecord;
    return environment ? core::Source::kEnv : core::Source::kFlag;
  };
  if (!options.models.empty()) {
    decision.requested = base::join(options.models, ",");
    decision.source = asked_by(options.models_from_environment);
    return named_models(config, options.models);
  }
  if (options.route) {
    decision.requested = *options.route;
    decision.source = asked_by(options.route_from_environment);
    return route_members(config, by_default, *options.route, decision);
  }
  decision.requested = config.default_route;
  if (rule != nullptr && (!rule->model.empty() || !rule->route.empty())) {
    decision.source = core::Source::kRule;
    if (!rule->model.empty()) return named_models(config, {rule->model});
    return route_members(config, by_default, rule->route, decision);
  }
  return route_members(config, by_default, config.default_route, decision);
}

Result<core::Worth> choose_worth(const Config& config, const Request& request,
                                 const core::Rule* rule, Decision& decision) {
  const core::RoutingOptions& options = request.options;
  decision.profile = options.profile.value_or(config.default_profile);
  const core::Profile* profile = config.find_profile(decision.profile);
  if (profile == nullptr) {
    return unknown_name("profile", decision.profile, config.profiles);
  }
  core::Worth worth = profile->worth;
  if (rule != nullptr) {
    worth.good_answer = rule->worth.value_or(worth.good_answer);
    worth.second = rule->wait.value_or(worth.second);
  }
  worth.good_answer = options.worth.value_or(worth.good_answer);
  worth.second = options.wait.value_or(worth.second);
  return worth;
}

void append(std::vector<std::string>& to,
            const std::vector<std::string>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

// Clamps from the options and from a rule, empty if not given: the narrowest
// holds.
Result<std::optional<size_t>> clamp_tier(
    const Config& config, std::initializer_list<const std::string*> names,
    bool lower) {
  std::optional<size_t> bound;
  for (const std::string* name : names) {
    if (name == nullptr || name->empty()) continue;
    const std::optional<size_t> tier = config.find_tier(*name);
    if (!tier) return unknown_name("tier", *name, config.tiers);
    if (!bound || (lower ? *tier > *bound : *tier < *bound)) bound = tier;
  }
  return bound;
}

// kUsage if no tier passes the options' own clamps.
base::Status check_clamps(const Config& config,
                          const core::RoutingOptions& options) {
  struct Clamp {
    const char* flag;
    const std::optional<std::string>& tier;
  };
  const Clamp exact{"--tier", options.tier};
  const Clamp least{"--min-tier", options.min_tier};
  const Clamp most{"--max-tier", options.max_tier};
  for (const auto& [low, high] :
       {std::pair(least, exact), std::pair(exact, most),
        std::pair(least, most)}) {
    if (!low.tier || !high.tier) continue;
    if (config.find_tier(*low.tier) <= config.find_tier(*high.tier)) continue;
    return Error{ErrorKind::kUsage,
                 fmt::format("{} {} and {} {} exclude each other", high.flag,
                             *high.tier, low.flag, *low.tier)};
  }
  return {};
}

const std::string* if_given(const std::optional<std::string>& name) {
  return name ? &*name : nullptr;
}

// A rule's constraints hold beside those of the options; neither lifts the
// other's.
Result<Gates> make_gates(const Config& config, const Request& request,
                         const core::Rule* acting) {
  static const core::Rule kNoRule;
  const core::Rule& rule = acting != nullptr ? *acting : kNoRule;
  const core::RoutingOptions& options = request.options;
  Gates gates{options.allow, options.deny,         options.require,     {}, {},
              acting,        request.missing_keys, request.unavailable, {}};
  if (request.experience != nullptr && !request.ask_held) {
    gates.held = &request.experience->held;
  }
  append(gates.allow, rule.allow);
  append(gates.deny, rule.deny);
  append(gates.require, rule.require);
  const std::string* exact = if_given(options.tier);
  LLMROUTE_TRY(gates.min_tier, clamp_tier(config,
                                          {exact, if_given(options.min_tier),
                                           &rule.tier, &rule.min_tier},
                                          true));
  LLMROUTE_TRY(gates.max_tier, clamp_tier(config,
                                          {exact, if_given(options.max_tier),
                                           &rule.tier, &rule.max_tier},
                                          false));
  LLMROUTE_CHECK(check_clamps(config, options));
  return gates;
}

// Moves every model through the gates: into candidates or into excluded.
void pass_gates(const Config& config, const Gates& gates, Models models,
                const Request& request, const Sizes& sizes,
                Decision& decision) {
  decision.candidates.reserve(models.size());
  const core::Provider* of_last = nullptr;  // models come by provider
  for (const Model* model : models) {
    if (of_last == nullptr || of_last->name != model->provider) {
      of_last = config.find_provider(model->provider);
    }
    const core::Provider& provider = *of_last;
    const bool admitted = model == request.admitted;
    auto excluded = excluded_by(gates, config, *model, provider);
    if (excluded && !admitted) {
      decision.excluded.push_back(std::move(*excluded));
      continue;
    }
    core::Candidate candidate =
        estimate(*model, provider, sizes, request.analysis, request.prompt,
                 request.max_cost);
    if (request.experience != nullptr) {
      expect_measured(*request.experience, candidate);
      learn_from_verdicts(*request.experience, request.analysis, candidate);
    }
    excluded = does_not_fit(candidate, sizes, request.prompt, request.max_cost,
                            request.options.allow_unpriced);
    if (excluded && !admitted) {
      decision.excluded.push_back(std::move(*excluded));
    } else {
      decision.candidates.push_back(std::move(candidate));
    }
  }
}

void select(const Config& config, const Request& request, Decision& decision) {
  const core::Analysis& analysis = request.analysis;
  decision.difficulty_used = analysis.difficulty;
  if (decision.selection == core::Selection::kOrdered) {
    weigh(decision.candidates, analysis, decision.worth, analysis.difficulty);
    return;
  }
  decision.difficulty_used =
      order_by_worth(decision.candidates, analysis, decision.worth, config);
  note_try(decision);
  if (!decision.candidates.empty() && decision.candidates.front().worth < 0) {
    decision.notes.push_back(fmt::format(
        "no model is worth its cost at {} a good answer; chosen for the least "
        "cost per good answer",
        core::display_usd(decision.worth.good_answer)));
  }
  if (decision.difficulty_used > analysis.difficulty) {
    decision.notes.push_back(fmt::format(
        "unsure (confidence {:.2f}): difficulty taken as {:.2f} instead of "
        "{:.2f}, which raises the tier",
        analysis.confidence, decision.difficulty_used, analysis.difficulty));
  }
  if (request.experience != nullptr && request.experience->session) {
    keep_session(*request.experience->session, config.learning.switch_margin,
                 decision);
  }
  if (request.draw) {
    explore({config.learning.explore, *request.draw}, decision);
  }
}

// --fallback: further models at the end of the chain, through the same gates.
base::Status append_fallbacks(const Config& config, const Gates& gates,
                              const Request& request, const Sizes& sizes,
                              Models present, Decision& decision) {
  if (request.options.fallback.empty()) return {};
  LLMROUTE_TRY(Wanted extra, named_models(config, request.options.fallback));
  std::erase_if(extra.listed, [&](const Model* model) {
    return std::find(present.begin(), present.end(), model) != present.end();
  });
  Decision appended;
  pass_gates(config, gates, extra.listed, request, sizes, appended);
  weigh(appended.candidates, request.analysis, decision.worth,
        decision.difficulty_used);
  decision.appended = appended.candidates.size();
  std::move(appended.candidates.begin(), appended.candidates.end(),
            std::back_inserter(decision.candidates));
  std::move(appended.excluded.begin(), appended.excluded.end(),
            std::back_inserter(decision.excluded));
  return {};
}

// Empty, but with the memory of its lists.
void clear(Decision& decision) {
  const auto emptied = [](auto& list) {
    list.clear();
    return std::move(list);
  };
  auto candidates = emptied(decision.candidates);
  auto excluded = emptied(decision.excluded);
  auto rules = emptied(decision.rules);
  decision = Decision();
  decision.candidates = std::move(candidates);
  decision.excluded = std::move(excluded);
  decision.rules = std::move(rules);
}

}  // namespace

Router::Router(const Config& config, RuleSet rules)
    : config_(&config), rules_(std::move(rules)) {
  const core::Route* route = config.find_route(config.default_route);
  if (route != nullptr) by_default_ = members_of(config, *route);
}

Result<Router> Router::create(const Config& config) {
  LLMROUTE_TRY(RuleSet rules, RuleSet::compile(config.rules));
  return Router(config, std::move(rules));
}

Result<Decision> Router::decide(const Request& request) const {
  Decision decision;
  LLMROUTE_CHECK(decide(request, decision));
  return decision;
}

base::Status Router::decide(const Request& request, Decision& decision) const {
  const Config& config = *config_;
  const core::RoutingOptions& options = request.options;
  const Evidence* evidence = request.evidence;
  const Sizes sizes =
      evidence != nullptr ? evidence->sizes : measure(request.prompt);
  clear(decision);
  decision.analysis = request.analysis;
  decision.no_fallback = options.no_fallback;

  const RuleMatch matched =
      rules_.match({request.prompt, request.analysis, sizes.input_tokens,
                    options.tags, evidence},
                   decision.rules);
  decision.undecided = matched.undecided;
  if (matched.rule != nullptr) {
    decision.rule = matched.rule->name;
    decision.prompt_template = matched.rule->prompt_template;
    decision.no_fallback = decision.no_fallback || matched.rule->no_fallback;
  }
  LLMROUTE_TRY(decision.worth,
               choose_worth(config, request, matched.rule, decision));
  LLMROUTE_TRY(const Gates gates, make_gates(config, request, matched.rule));
  LLMROUTE_TRY(const Wanted wanted, choose_wanted(config, by_default_, request,
                                                  matched.rule, decision));
  pass_gates(config, gates, wanted.models, request, sizes, decision);
  decision.selection = wanted.selection;
  select(config, request, decision);
  if (!decision.no_fallback) {
    LLMROUTE_CHECK(append_fallbacks(config, gates, request, sizes,
                                    wanted.models, decision));
  }
  if (decision.candidates.empty()) {
    decision.remedy = tag_remedy(gates, config, decision.excluded);
  }
  return {};
}

namespace {

ErrorKind kind_of(core::Gate gate) {
  switch (gate) {
    case core::Gate::kKey:
      return ErrorKind::kNoPermission;
    case core::Gate::kWindow:
      return ErrorKind::kData;
    case core::Gate::kBudget:
      return ErrorKind::kBudget;
    case core::Gate::kHeld:
      return ErrorKind::kTryLater;
    case core::Gate::kName:
    case core::Gate::kTag:
    case core::Gate::kTier:
    case core::Gate::kDown:
      return ErrorKind::kUnavailable;
  }
  return ErrorKind::kSoftware;
}

struct Reason {
  std::string text;
  std::vector<std::string> models;
};

// Each once, the user's own models first. Who configured models does not want
// the keys of all providers there are.
std::vector<Reason> reasons_at(const Decision& decision, core::Gate gate) {
  std::vector<Reason> reasons;
  for (const bool built_in : {false, true}) {
    if (gate == core::Gate::kKey && !reasons.empty()) break;
    for (const core::Exclusion& excluded : decision.excluded) {
      const core::Model& model = *excluded.model;
      if (excluded.gate != gate) continue;
      if ((model.origin == "built-in") != built_in) continue;
      auto found = std::ranges::find(reasons, excluded.reason, &Reason::text);
      if (found == reasons.end()) {
        found = reasons.insert(found, {excluded.reason, {}});
      }
      found->models.push_back(model.name);
    }
  }
  return reasons;
}

}  // namespace

Error no_candidate(const Decision& decision) {
  if (decision.excluded.empty()) {
    return {ErrorKind::kUnavailable,
            fmt::format("route '{}' has no models", decision.route)};
  }
  const core::Gate furthest =
      std::max_element(
          decision.excluded.begin(), decision.excluded.end(),
          [](const auto& a, const auto& b) { return a.gate < b.gate; })
          ->gate;
  std::vector<std::string> reasons;
  for (const Reason& reason : reasons_at(decision, furthest)) {
    constexpr size_t kModelsShown = 3;
    const bool of_provider = furthest == core::Gate::kKey;
    reasons.push_back(of_provider
                          ? reason.text
                          : base::first_few(reason.models, kModelsShown) +
                                ": " + reason.text);
  }
  constexpr size_t kShown = 8;
  const size_t shown = std::min(kShown, reasons.size());
  std::string text = base::join(std::span(reasons).first(shown), "; ");
  if (shown < reasons.size()) {
    text += fmt::format("; and {} more", reasons.size() - shown);
  }
  if (furthest == core::Gate::kKey && reasons.size() > 1) {
    text += "; set one such variable, or start Ollama";
  }
  if (!decision.remedy.empty()) text += "; " + decision.remedy;
  return {kind_of(furthest), "no model can answer: " + text};
}

}  // namespace llmroute::routing
