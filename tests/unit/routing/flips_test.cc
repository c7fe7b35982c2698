#include "routing/flips.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "fixture.h"
#include "routing/router.h"

namespace llmroute::routing {
namespace {

core::Decision decide(const core::Config& config,
                      const core::Analysis& analysis,
                      const core::RoutingOptions& options) {
  const core::Prompt prompt = make_prompt("What is it?");
  return *Router::create(config)->decide(
      {prompt, analysis, options, std::nullopt, nullptr, nullptr});
}

// The decision with a lever where the flip says, or a part of the way there.
std::string with(core::Config config, const core::Analysis& analysis,
                 const Flip& flip, double part) {
  const double value = flip.from + part * (flip.to - flip.from);
  core::RoutingOptions options;
  if (flip.lever == Lever::kWorth) options.worth = value;
  if (flip.lever == Lever::kWait) options.wait = value;
  for (core::Model& model : config.models) {
    if (flip.of == nullptr || model.name != flip.of->name) continue;
    const auto scale = [&](std::optional<core::Money>& price) {
      price->pico = std::llround(static_cast<double>(price->pico) * value);
    };
    if (flip.lever == Lever::kPrice) {
      scale(model.price.input);
      scale(model.price.output);
    } else if (flip.lever == Lever::kTime) {
      model.first_token_seconds *= value;
      model.tokens_per_second /= value;
    } else if (flip.lever == Lever::kAbility) {
      for (double& ability : model.ability) ability += value;
    }
  }
  return decide(config, analysis, options).candidates.front().model->name;
}

TEST_CASE("a flip is true: with the change another wins, with 99 % not") {
  std::mt19937 random(7);
  const core::Config config = make_config();
  std::uniform_real_distribution<double> hard(-3, 3), sure(0, 1);
  size_t seen = 0;
  for (int i = 0; i < 300; ++i) {
    const core::Analysis analysis = make_analysis(hard(random), sure(random));
    CAPTURE(analysis.difficulty);
    CAPTURE(analysis.confidence);
    const core::Decision decision = decide(config, analysis, {});
    const std::string chosen = decision.candidates.front().model->name;
    for (const Flip& flip : flips(decision, config, false)) {
      CAPTURE(lever_name(flip.lever));
      CAPTURE(flip.to);
      CHECK(with(config, analysis, flip, 1) == flip.winner->name);
      CHECK(with(config, analysis, flip, 0.99) == chosen);
      ++seen;
    }
    for (size_t other = 1; other < decision.candidates.size(); ++other) {
      const core::Model& wanted = *decision.candidates[other].model;
      CAPTURE(wanted.name);
      const auto ways = ways_to(wanted, decision, config, false);
      CHECK(!ways.empty());
      for (const Flip& flip : ways) {
        CAPTURE(lever_name(flip.lever));
        CAPTURE(flip.to);
        CHECK(flip.winner == &wanted);
        CHECK(with(config, analysis, flip, 1) == wanted.name);
        CHECK(with(config, analysis, flip, 0.99) != wanted.name);
        ++seen;
      }
    }
  }
  CHECK(seen > 2000);
}

TEST_CASE("where worth does not decide there are no flips") {
  core::Config config = make_config();
  core::RoutingOptions options;
  options.models = {"cheap", "strong"};
  const core::Decision named = decide(config, make_analysis(0), options);
  CHECK(flips(named, config, false).empty());
  CHECK(ways_to(config.models[2], named, config, false).empty());
}

TEST_CASE("under a ceiling prices are left alone; fallbacks take no part") {
  const core::Config config = make_config();
  core::RoutingOptions options;
  options.allow = {"cheap"};
  CHECK(
      flips(decide(config, make_analysis(0), options), config, false).empty());
  for (const Flip& flip :
       flips(decide(config, make_analysis(0), {}), config, true)) {
    CHECK(flip.lever != Lever::kPrice);
  }
}

}  // namespace
}  // namespace llmroute::routing
