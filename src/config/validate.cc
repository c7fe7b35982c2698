#include "config/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/names.h"
#include "base/text.h"
#include "base/url.h"
#include "config/names.h"
#include "config/references.h"
#include "core/secret_headers.h"

namespace llmroute::config {
namespace {

using core::Model;
using core::Protocol;
using core::Provider;
using core::Route;
using core::Rule;

// The path of an object, and of one of its keys.
struct Path {
  std::string_view section;
  const std::string& name;

  std::string object() const {
    return section.empty() ? std::string() : join_path(section, name);
  }
  std::string key(std::string_view key) const {
    return join_path(object(), key);
  }
};

class Validator {
 public:
  Validator(const core::Config& config, const Origins& origins,
            const References& names)
      : config_(config), origins_(origins), names_(names) {}

  base::Status run();

 private:
  base::Error fail(const Path& path, std::string_view key,
                   const std::string& what) const {
    return origins_.fail({path.key(key), path.object()}, what);
  }
  // Fails if there is a problem.
  base::Status refer(const Path& path, std::string_view key,
                     const std::string& problem) const {
    if (problem.empty()) return {};
    return fail(path, key, problem);
  }
  template <class F>
  base::Status refer_each(const Path& path, std::string_view key,
                          const std::vector<std::string>& list,
                          F problem) const;

  base::Status check_provider(const Provider& provider) const;
  base::Status check_exec(const Provider& provider, const Path& path) const;
  base::Status check_http(const Provider& provider, const Path& path) const;
  base::Status check_model(const Model& model) const;
  base::Status check_route(const Route& route) const;
  base::Status check_cycles();
  base::Status check_cycles_from(const Route& start);
  base::Error cycle(const Route& again) const;
  base::Status check_rule(const Rule& rule) const;
  base::Status check_rule_bounds(const Rule& rule, const Path& path) const;
  base::Status check_rule_tiers(const Rule& rule, const Path& path) const;
  base::Status check_tiers() const;

  const core::Config& config_;
  const Origins& origins_;
  const References& names_;

  enum class Mark { kNew, kOpen, kDone };
  struct Step {
    const Route* route;
    size_t next = 0;  // member to look at
  };
  std::unordered_map<const Route*, Mark> marks_;
  std::vector<Step> trail_;
};

template <class F>
base::Status Validator::refer_each(const Path& path, std::string_view key,
                                   const std::vector<std::string>& list,
                                   F problem) const {
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string what = (names_.*problem)(list[i]);
    if (what.empty()) continue;
    const std::string whole = path.key(key);
    return origins_.fail({item_path(whole, i), whole, path.object()}, what);
  }
  return {};
}

base::Status Validator::check_exec(const Provider& provider,
                                   const Path& path) const {
  if (provider.command.empty()) {
    return fail(
        path, "command",
        fmt::format("exec provider '{}' needs a command", provider.name));
  }
  if (!provider.base_url.empty() || !provider.keyless()) {
    return fail(path, "protocol",
                fmt::format("exec provider '{}' takes neither base_url nor a "
                            "key",
                            provider.name));
  }
  return {};
}

base::Status Validator::check_http(const Provider& provider,
                                   const Path& path) const {
  const base::Result<base::Url> url = base::parse_url(provider.base_url);
  if (!url || url->scheme == "https" || url->is_loopback()) return {};
  if (!provider.allow_http) {
    return fail(path, "base_url",
                fmt::format("provider '{}': plain http to another machine; "
                            "use https, or allow_http = true if it needs no "
                            "key",
                            provider.name));
  }
  const bool secret = std::any_of(
      provider.headers.begin(), provider.headers.end(),
      [](const auto& header) { return core::is_secret_header(header.first); });
  if (provider.keyless() && !secret) return {};
  return fail(path, "base_url",
              fmt::format("provider '{}': a key never goes over plain http to "
                          "another machine; use https, or key_env = [] if it "
                          "needs none",
                          provider.name));
}

base::Status Validator::check_provider(const Provider& provider) const {
  const Path path{"providers", provider.name};
  const bool known = provider.origin == "built-in" ||
                     origins_.has(path.key("protocol")) ||
                     !provider.base_url.empty();
  if (!known) {
    return fail(path, "protocol",
                fmt::format("provider '{}' needs a protocol and a base_url",
                            provider.name));
  }
  if (provider.protocol == Protocol::kExec) return check_exec(provider, path);
  if (!provider.command.empty()) {
    return fail(path, "command",
                fmt::format("provider '{}': command needs protocol = \"exec\"",
                            provider.name));
  }
  if (provider.base_url.empty()) {
    return fail(path, "base_url",
                fmt::format("provider '{}' needs a base_url", provider.name));
  }
  return check_http(provider, path);
}

base::Status Validator::check_model(const Model& model) const {
  const Path path{"models", model.name};
  LLMROUTE_CHECK(
      refer(path, "provider", names_.provider_problem(model.provider)));
  if (!model.tier.empty()) {
    LLMROUTE_CHECK(refer(path, "tier", names_.tier_problem(model.tier)));
  }
  if (model.context_window && model.max_output_tokens &&
      *model.max_output_tokens > *model.context_window) {
    return fail(path, "max_output_tokens",
                fmt::format("model '{}': max_output_tokens is larger than "
                            "context_window",
                            model.name));
  }
  return {};
}

base::Status Validator::check_route(const Route& route) const {
  const Path path{"routes", route.name};
  return refer_each(path, "models", route.models, &References::member_problem);
}

base::Error Validator::cycle(const Route& again) const {
  std::string text;
  bool inside = false;
  for (const Step& step : trail_) {
    inside = inside || step.route == &again;
    if (inside) text += step.route->name + " -> ";
  }
  const Route& last = *trail_.back().route;
  return fail(
      Path{"routes", last.name}, "models",
      fmt::format("routes lead back to themselves: {}{}", text, again.name));
}

base::Status Validator::check_cycles_from(const Route& start) {
  constexpr size_t kMaxDepth = 32;
  trail_ = {{&start}};
  while (!trail_.empty()) {
    Step& step = trail_.back();
    marks_[step.route] = Mark::kOpen;
    if (step.next == step.route->models.size()) {
      marks_[step.route] = Mark::kDone;
      trail_.pop_back();
      continue;
    }
    const Route* inner = names_.route(step.route->models[step.next++]);
    if (inner == nullptr || marks_[inner] == Mark::kDone) continue;
    if (marks_[inner] == Mark::kOpen) return cycle(*inner);
    if (trail_.size() == kMaxDepth) {
      return fail(
          Path{"routes", start.name}, "models",
          fmt::format("routes inside routes more than {} deep", kMaxDepth));
    }
    trail_.push_back({inner});
  }
  return {};
}

base::Status Validator::check_cycles() {
  for (const Route& route : config_.routes) {
    if (marks_[&route] == Mark::kNew) LLMROUTE_CHECK(check_cycles_from(route));
  }
  return {};
}

bool has_action(const Rule& rule) {
  const bool names = !rule.route.empty() || !rule.model.empty() ||
                     !rule.tier.empty() || !rule.min_tier.empty() ||
                     !rule.max_tier.empty() || !rule.prompt_template.empty();
  const bool lists =
      !rule.allow.empty() || !rule.deny.empty() || !rule.require.empty();
  return names || lists || rule.worth || rule.wait || rule.no_fallback;
}

base::Status Validator::check_rule_bounds(const Rule& rule,
                                          const Path& path) const {
  if (rule.min_difficulty && rule.max_difficulty &&
      *rule.min_difficulty > *rule.max_difficulty) {
    return fail(path, "max_difficulty",
                fmt::format("rule '{}': max_difficulty is less than "
                            "min_difficulty",
                            rule.name));
  }
  if (rule.min_tokens && rule.max_tokens &&
      *rule.min_tokens > *rule.max_tokens) {
    return fail(path, "max_tokens",
                fmt::format("rule '{}': max_tokens is less than min_tokens",
                            rule.name));
  }
  return {};
}

base::Status Validator::check_rule_tiers(const Rule& rule,
                                         const Path& path) const {
  const auto check = [&](std::string_view key, const std::string& tier) {
    return tier.empty() ? base::Status()
                        : refer(path, key, names_.tier_problem(tier));
  };
  LLMROUTE_CHECK(check("tier", rule.tier));
  LLMROUTE_CHECK(check("min_tier", rule.min_tier));
  LLMROUTE_CHECK(check("max_tier", rule.max_tier));
  if (rule.min_tier.empty() || rule.max_tier.empty()) return {};
  if (config_.find_tier(rule.min_tier) > config_.find_tier(rule.max_tier)) {
    return fail(
        path, "max_tier",
        fmt::format("rule '{}': max_tier is below min_tier", rule.name));
  }
  return {};
}

base::Status Validator::check_rule(const Rule& rule) const {
  const Path path{"rules", rule.name};
  if (!has_action(rule)) {
    return fail(path, "name",
                fmt::format("rule '{}' does nothing; give it an action such "
                            "as route, model, deny or tier",
                            rule.name));
  }
  if (!rule.route.empty() && !rule.model.empty()) {
    return fail(
        path, "model",
        fmt::format("rule '{}' names both a route and a model", rule.name));
  }
  if (!rule.route.empty()) {
    LLMROUTE_CHECK(refer(path, "route", names_.route_problem(rule.route)));
  }
  if (!rule.model.empty()) {
    LLMROUTE_CHECK(refer(path, "model", names_.model_problem(rule.model)));
  }
  LLMROUTE_CHECK(
      refer_each(path, "allow", rule.allow, &References::filter_problem));
  LLMROUTE_CHECK(
      refer_each(path, "deny", rule.deny, &References::filter_problem));
  LLMROUTE_CHECK(check_rule_bounds(rule, path));
  return check_rule_tiers(rule, path);
}

base::Status Validator::check_tiers() const {
  std::set<std::string> taken;
  for (const core::Tier& tier : config_.tiers) {
    const Path path{"tiers", tier.name};
    std::vector<std::string> names = tier.aliases;
    names.push_back(tier.name);
    for (const std::string& name : names) {
      if (taken.insert(name).second) continue;
      return fail(path, "aliases",
                  fmt::format("tier name '{}' is used twice", name));
    }
  }
  return {};
}

base::Status Validator::run() {
  LLMROUTE_CHECK(check_tiers());
  for (const Provider& provider : config_.providers) {
    LLMROUTE_CHECK(check_provider(provider));
  }
  for (const Model& model : config_.models) {
    LLMROUTE_CHECK(check_model(model));
  }
  for (const Route& route : config_.routes) LLMROUTE_CHECK(check_route(route));
  for (const core::Budget& budget : config_.budgets) {
    if (budget.tag.empty()) {
      return fail({"budgets", budget.name}, "tag", "a budget needs a tag");
    }
    if (!budget.per_day && !budget.per_month) {
      return fail({"budgets", budget.name}, "tag",
                  "a budget needs per_day or per_month");
    }
  }
  LLMROUTE_CHECK(check_cycles());
  for (const Rule& rule : config_.rules) LLMROUTE_CHECK(check_rule(rule));
  const Path top{"", config_.default_route};
  LLMROUTE_CHECK(
      refer(top, "route", names_.route_problem(config_.default_route)));
  if (config_.find_profile(config_.default_profile) == nullptr) {
    std::vector<std::string> known;
    for (const core::Profile& p : config_.profiles) known.push_back(p.name);
    return fail(top, "profile",
                fmt::format("unknown profile '{}'{}", config_.default_profile,
                            base::name_help(config_.default_profile, known)));
  }
  return {};
}

// Before names are resolved, while built-in aliases are still where they were:
// the likely mistake is to extend a model under its alias.
base::Status check_new_model(const core::Config& config, const Model& model,
                             const Origins& origins) {
  if (!model.provider.empty()) return {};
  std::vector<std::string> known;
  std::string hint;
  for (const Model& other : config.models) {
    if (!other.provider.empty()) known.push_back(other.name);
    const std::vector<std::string>& aliases = other.aliases;
    if (std::find(aliases.begin(), aliases.end(), model.name) !=
        aliases.end()) {
      hint = fmt::format(" (to change what '{}' stands for, write [{}])",
                         model.name, join_path("models", other.name));
    }
  }
  if (hint.empty()) hint = did_you_mean(model.name, known);
  return origins.fail(
      {join_path("models", model.name)},
      fmt::format("model '{}' needs a provider{}", model.name, hint));
}

}  // namespace

base::Status validate(core::Config& config, const Origins& origins,
                      const std::set<std::string>& disabled) {
  for (Model& model : config.models) {
    LLMROUTE_CHECK(check_new_model(config, model, origins));
    if (model.id.empty()) model.id = model.name;
  }
  LLMROUTE_CHECK(assign_aliases(config, origins));
  const References names(config, disabled);
  return Validator(config, origins, names).run();
}

}  // namespace llmroute::config
