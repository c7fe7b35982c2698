// A small config for the routing tests: three models of one provider.
#pragma once

#include <string>

#include "core/analysis.h"
#include "core/config.h"
#include "core/prompt.h"

namespace llmroute::routing {

inline core::Model make_model(const std::string& name, const std::string& tier,
                              double ability, double usd_per_million) {
  core::Model model;
  model.name = name;
  model.provider = "stub";
  model.id = name;
  model.tier = tier;
  model.ability.fill(ability);
  model.price.input = core::per_token_from_usd_per_million(usd_per_million);
  model.price.output =
      core::per_token_from_usd_per_million(4 * usd_per_million);
  model.context_window = 100'000;
  model.max_output_tokens = 8'000;
  return model;
}

inline core::Config make_config() {
  core::Config config;
  config.tiers = {
      {"small", {"haiku"}}, {"medium", {"sonnet"}}, {"large", {"opus"}}};
  core::Provider provider;
  provider.name = "stub";
  provider.key_env = {"STUB_KEY"};
  config.providers.push_back(provider);
  config.models = {make_model("cheap", "small", -1.0, 0.1),
                   make_model("mid", "medium", 0.8, 1.0),
                   make_model("strong", "large", 2.5, 10.0)};
  core::Route route;
  route.name = "auto";
  config.routes.push_back(route);
  config.profiles = {{"balanced", {0.05, 0.0005}, ""},
                     {"cost", {0.005, 0.0001}, ""},
                     {"quality", {1, 0.0005}, ""}};
  return config;
}

inline core::Analysis make_analysis(double difficulty, double confidence = 1) {
  core::Analysis analysis;
  analysis.domain.fill(1.0 / static_cast<double>(core::kDomainCount));
  analysis.difficulty = difficulty;
  analysis.confidence = confidence;
  analysis.slope = 1.5;
  analysis.output_tokens = 300;
  return analysis;
}

inline core::Prompt make_prompt(const std::string& text) {
  core::Prompt prompt;
  prompt.messages.push_back({core::Role::kUser, text});
  return prompt;
}

}  // namespace llmroute::routing
