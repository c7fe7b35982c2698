// What the configuration says, after all its layers are merged. Filled by
// config/, read by routing/ and app/.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/model.h"

namespace llmroute::core {

// What a good answer and a second of waiting are worth, in dollars.
struct Worth {
  double good_answer = 0.05;
  double second = 0.0005;
};

struct Profile {
  std::string name;
  Worth worth;
  std::string origin;
};

enum class Selection { kBest, kOrdered };

// A named set of models (or routes) with a way to select.
struct Route {
  std::string name;
  std::vector<std::string>
      models;  // model names, aliases, globs or routes; empty: every model
  Selection selection = Selection::kBest;
  std::string prompt_template;  // holds "{input}"; empty: the prompt as it is
  std::string description;
  bool no_fallback = false;
  bool hedge = false;  // while a model is silent, another is asked as well
  std::string origin;
};

// match -> action, read before the analyzer's word counts. Every condition
// given must hold; the first rule that matches acts.
struct Rule {
  std::string name;
  // conditions
  std::string
      pattern;  // RE2, anywhere in the prompt's text (system text not included)
  std::vector<std::string> domains;  // the most likely domain is one of these
  std::optional<double> min_difficulty,
      max_difficulty;  // hardness 0..1, as explain shows it
  std::optional<int64_t> min_tokens, max_tokens;  // estimated input tokens
  std::vector<std::string>
      tags;  // --tag K=V: all of these ("team=search" or "team")
  std::vector<std::string> languages;  // Analysis::language is one of these
  std::vector<std::string> files;      // a -f name matches one of these globs
  // actions
  std::string route, model;
  std::vector<std::string> allow, deny, require;
  std::string tier, min_tier, max_tier;
  std::string prompt_template;
  std::optional<double> worth, wait;
  bool no_fallback = false;
  std::string file;  // where it was read
  int line = 0;
};

// What requests with a tag may cost together.
struct Budget {
  std::string name;
  std::string tag;  // "team=search"
  std::optional<Money> per_day, per_month;
  std::string origin;
};

struct Limits {
  std::chrono::milliseconds total{600'000};
  std::chrono::milliseconds connect{10'000};
  std::chrono::milliseconds first_token{300'000};
  std::chrono::milliseconds idle{60'000};
  std::chrono::milliseconds give_up{600'000};  // of a batch, without success
  int attempts_per_candidate = 3;
  int attempts_per_request = 6;
  // Attempts after the first of a candidate; the request's total follows.
  void set_retries(int retries);
  std::optional<Money> max_cost;            // of one request, worst case
  std::optional<Money> per_day, per_month;  // of all requests, UTC
  // What one request may cost, by the least of all ceilings that apply to it;
  // for the router. Not from the configuration.
  std::optional<Money> ceiling;
  std::string ceiling_name;  // of that one: "per_day of tag team=search"
};

// How the router learns.
struct Learning {
  double explore = 0;           // share of requests that chance decides
  std::optional<int64_t> seed;  // of that chance
  // Gain below which a session keeps its model, as a share of what a good
  // answer is worth.
  double switch_margin = 0.05;
};

// One value and where it came from, for `config show --origin`.
struct ConfigValue {
  std::string key;     // "models.cheap.price.input"
  std::string value;   // as TOML
  std::string origin;  // "built-in", "file:line", "LLMROUTE_PROFILE"
};

struct Config {
  std::vector<Tier> tiers;  // weakest first
  std::vector<Provider> providers;
  std::vector<Model> models;
  std::vector<Route> routes;  // holds "auto"
  std::vector<Rule> rules;
  std::vector<Profile> profiles;
  std::vector<Budget> budgets;
  Limits limits;
  Learning learning;
  std::string default_profile = "balanced";
  std::string default_route = "auto";
  std::string router_model_file;    // empty: the embedded one
  std::vector<std::string> files;   // that were read, strongest first
  std::vector<ConfigValue> values;  // set outside the built-in layer

  const Provider* find_provider(const std::string& name) const;
  const Model* find_model(const std::string& name_or_alias) const;
  const Route* find_route(const std::string& name) const;
  const Profile* find_profile(const std::string& name) const;
  // Index into `tiers` by name or alias.
  std::optional<size_t> find_tier(const std::string& name) const;
  // The model's tier: its own, else by general ability among the built-in
  // bounds.
  size_t tier_of(const Model& model) const;
};

}  // namespace llmroute::core
