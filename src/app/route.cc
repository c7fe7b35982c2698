#include "app/route.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/attempt_plan.h"
#include "app/ceilings.h"
#include "app/handed_key.h"
#include "app/input.h"
#include "app/ledger_place.h"
#include "app/ledger_rows.h"
#include "app/local_models.h"
#include "app/router_model.h"
#include "base/sha256.h"
#include "config/keys.h"
#include "config/load.h"
#include "core/needs.h"
#include "learning/random.h"
#include "routing/estimate.h"

namespace llmroute::app {
namespace {

using base::Result;

base::Status check_extra(const RequestOptions& request) {
  const std::string name = costly_field(request.extra);
  if (name.empty()) return {};
  return not_bounded(base::ErrorKind::kUsage, "-O " + name);
}

base::Status apply_limits(const LimitOptions& options, core::Limits& limits) {
  limits.total = options.timeout.value_or(limits.total);
  limits.connect = options.connect_timeout.value_or(limits.connect);
  limits.first_token = options.first_token_timeout.value_or(limits.first_token);
  limits.idle = options.idle_timeout.value_or(limits.idle);
  if (options.retries) limits.set_retries(*options.retries);
  if (options.max_cost) limits.max_cost = options.max_cost;
  return {};
}

// `-m provider/id` may name a model that no registry lists: price and limits
// are then unknown, and said to be.
void add_unlisted_models(const std::vector<std::string>& names,
                         core::Config& config) {
  for (const std::string& name : names) {
    const size_t slash = name.find('/');
    if (slash == std::string::npos || config.find_model(name) != nullptr ||
        config.find_provider(name.substr(0, slash)) == nullptr) {
      continue;
    }
    core::Model model;
    model.name = name;
    model.provider = name.substr(0, slash);
    model.id = name.substr(slash + 1);
    model.origin = "-m";
    config.models.push_back(std::move(model));
  }
}

std::map<std::string, std::string> missing_keys(
    const core::Config& config, const base::Environment& environment) {
  std::map<std::string, std::string> missing;
  for (const core::Provider& provider : config.providers) {
    if (!config::key_present(provider, environment)) {
      missing[provider.name] = config::missing_key_text(provider);
    }
  }
  return missing;
}

// The seed of a run that names none; explain leaves that run's chance alone.
std::optional<int64_t> seed_of(const RouteQuestion& question,
                               const core::Learning& learning) {
  if (question.ledger == nullptr || learning.explore <= 0) return std::nullopt;
  if (learning.seed || question.asker == Asker::kExplain) return learning.seed;
  return static_cast<int64_t>(system_random() * 0x1p53);
}

// The same for the same seed, state of the ledger and prompt.
std::optional<double> draw_of(const RouteQuestion& question, Routed& routed) {
  routed.seed = seed_of(question, routed.config->learning);
  if (!routed.seed) return std::nullopt;
  const auto digest = base::sha256(hashed_text(routed.prompt));
  uint64_t mixed = learning::mix64(static_cast<uint64_t>(*routed.seed));
  mixed = learning::mix64(mixed ^ (routed.known ? routed.known->state : 0));
  for (size_t i = 0; i < 8; ++i) {
    mixed = learning::mix64(mixed ^ digest[i]);
  }
  return learning::Random(mixed).uniform();
}

}  // namespace

Taken taken_of(const Routed& routed) {
  const Circumstances& around = routed.decider->circumstances();
  return {routed.prompt,
          routed.decision,
          around,
          around.options,
          routed.config->limits.ceiling,
          routed.seed,
          routed.took};
}

namespace {

// The least ceiling under which one of the models could be asked.
std::optional<core::Money> least_ceiling_needed(const Routed& routed) {
  const auto& excluded = routed.decision.excluded;
  const auto unpaid =
      std::ranges::find(excluded, core::Gate::kBudget, &core::Exclusion::gate);
  if (unpaid == excluded.end()) return std::nullopt;
  const auto free =
      routed.decider->decide_admitting(routed.prompt, *unpaid->model, false);
  if (!free) return std::nullopt;
  std::optional<core::Money> least;
  for (const core::Candidate& one : free->candidates) {
    const auto needed = routing::least_cost(one, routed.prompt);
    if (needed) least = std::min(least.value_or(*needed), *needed);
  }
  return least;
}

}  // namespace

base::Error no_candidate(const Routed& routed) {
  base::Error error = routing::no_candidate(routed.decision);
  const std::string& ceiling = routed.config->limits.ceiling_name;
  if (error.kind != base::ErrorKind::kBudget || ceiling.empty()) return error;
  error.message += fmt::format("; the ceiling is {}", ceiling);
  const auto needed = least_ceiling_needed(routed);
  if (ceiling == "max_cost" && needed) {
    error.message += fmt::format("; it needs --max-cost {} or more",
                                 core::format_usd(rounded_up(*needed)));
  }
  return error;
}

Result<Routed> prepare_routing(const RouteQuestion& question,
                               const base::Environment& environment) {
  Routed routed;
  LLMROUTE_TRY(core::Config config, config::load(question.config, environment));
  if (question.config.key_fd) {
    LLMROUTE_CHECK(pair_key(*question.config.key_fd, question.routing, config));
  }
  routed.config = std::make_unique<core::Config>(std::move(config));
  LLMROUTE_CHECK(apply_limits(question.limits, routed.config->limits));
  core::Limits& limits = routed.config->limits;
  if (auto least = least_ceiling(*routed.config, question.routing.tags)) {
    limits.ceiling = least->limit;
    limits.ceiling_name = std::move(least->name);
  }
  const bool bounded = question.under_ceiling || limits.ceiling.has_value();
  if (bounded && !question.routing.allow_unpriced) {
    LLMROUTE_CHECK(check_extra(question.request));
  }
  LLMROUTE_TRY(analyzer::Analyzer model, router_model(*routed.config));
  routed.analyzer = std::make_unique<analyzer::Analyzer>(std::move(model));
  return routed;
}

base::Status add_decider(const RouteQuestion& question,
                         const base::Environment& environment, Routed& routed) {
  std::map<std::string, std::string> unavailable =
      find_local_models(question.asker, environment, *routed.config);
  // After the local ones, which are listed only now.
  add_unlisted_models(question.routing.models, *routed.config);
  add_unlisted_models(question.routing.fallback, *routed.config);
  if (question.ledger != nullptr) {
    routed.ledger = open_at_decision(*question.ledger, environment,
                                     question.asker == Asker::kRun);
    routed.known = std::make_unique<Known>();
    if (routed.ledger) {
      *routed.known =
          read_known(*routed.config, *routed.ledger, question.ledger->session);
    }
  }
  core::RoutingOptions routing = question.routing;
  for (std::string& need : core::needs_of(routed.prompt)) {
    routing.require.push_back(std::move(need));
  }
  LLMROUTE_TRY(
      Decider decider,
      Decider::create(
          *routed.config, *routed.analyzer,
          {question.asker, std::move(routing),
           missing_keys(*routed.config, environment), std::move(unavailable),
           routed.known ? &routed.known->experience : nullptr,
           draw_of(question, routed)}));
  routed.decider = std::make_unique<Decider>(std::move(decider));
  return {};
}

namespace {

// Of a model that nobody knows: a local server that is not running would list
// its own.
base::Error with_local_servers(base::Error error, const Routed& routed) {
  const auto& unavailable = routed.decider->circumstances().unavailable;
  const bool unknown = error.message.starts_with("unknown model") &&
                       error.message.find("did you mean") == std::string::npos;
  for (const core::Provider& provider : routed.config->providers) {
    if (!unknown || provider.protocol != core::Protocol::kOllama ||
        !unavailable.contains(provider.name)) {
      continue;
    }
    error.message += "; no Ollama answers at " + provider.base_url;
  }
  return error;
}

}  // namespace

Result<Routed> route_prompt(const RouteQuestion& question,
                            const base::Environment& environment,
                            const Messages& messages) {
  LLMROUTE_TRY(Routed routed, prepare_routing(question, environment));
  LLMROUTE_TRY(routed.prompt,
               read_prompt(question.input, question.request, messages));
  LLMROUTE_CHECK(add_decider(question, environment, routed));
  if (routed.known) {
    for (const std::string& warning : routed.known->warnings) {
      messages.warn(warning);
    }
  }
  const auto start = std::chrono::steady_clock::now();
  auto decision = routed.decider->decide(routed.prompt);
  if (!decision) {
    return with_local_servers(std::move(decision).error(), routed);
  }
  routed.decision = *std::move(decision);
  routed.took = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - start);
  const double explored = routed.config->learning.explore;
  if (question.asker == Asker::kExplain && question.ledger != nullptr &&
      explored > 0 && !routed.seed) {
    routed.decision.notes.push_back(
        fmt::format("in {:.3g} % of runs chance chooses among the candidates "
                    "(`explore`, without a `seed`)",
                    100 * explored));
  }
  return routed;
}

}  // namespace llmroute::app
