#include "routing/experience.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>

#include "core/cell.h"
#include "fixture.h"
#include "learning/random.h"
#include "routing/router.h"

namespace llmroute::routing {
namespace {

// Decides under one experience; the keys are there.
struct Desk {
  core::Config config = make_config();
  core::Prompt prompt = make_prompt("Hello");
  core::Analysis analysis = make_analysis(0);
  core::RoutingOptions options;
  core::Experience experience;
  std::optional<core::Money> max_cost;
  std::map<std::string, std::string> unavailable;

  core::Decision decide(std::optional<double> draw = std::nullopt) const {
    const auto router = Router::create(config);
    REQUIRE(router);
    auto decision = router->decide({prompt, analysis, options, max_cost,
                                    nullptr, &unavailable, &experience, draw});
    REQUIRE(decision);
    return std::move(*decision);
  }
  std::string chosen(std::optional<double> draw = std::nullopt) const {
    return decide(draw).candidates.front().model->name;
  }
  void judge(const std::string& model, double good, double bad) {
    const core::Cell cell = core::cell_of(analysis);
    const double count = good + bad;
    double& now =
        experience.verdicts[cell.domain][static_cast<size_t>(cell.level)];
    now += count;
    experience.judged[model].push_back(
        {cell, {good, bad, now}, static_cast<int64_t>(count)});
  }
};

std::string all_notes(const core::Decision& decision) {
  std::string text;
  for (const std::string& note : decision.notes) text += note + "\n";
  return text;
}

double sum_of_propensities(const core::Decision& decision) {
  double sum = 0;
  for (const core::Candidate& c : decision.candidates) sum += c.propensity;
  return sum;
}

}  // namespace

TEST_CASE("a measured speed replaces the registry's") {
  Desk desk;
  const auto before = desk.decide().candidates.front();
  CHECK(before.seconds == before.seconds_listed);
  desk.experience.paces["mid"] = {12, 0.2, 0.001, 1, 0, {}};
  for (const core::Candidate& c : desk.decide().candidates) {
    if (c.model->name != "mid") continue;
    CHECK(c.seconds == doctest::Approx(0.2 + 300 * 0.001));
    CHECK(c.seconds_listed == doctest::Approx(1 + 300 / 60.0));
    CHECK(c.calls == 12);
  }
}

TEST_CASE(
    "as a slow measurement ages, the registry's speed is believed again") {
  Desk desk;
  double last = 1e9;
  for (const double freshness : {1.0, 0.5, 0.1, 0.0}) {
    desk.experience.paces["mid"] = {3, 60, 0.5, freshness, 0, {}};
    for (const core::Candidate& c : desk.decide().candidates) {
      if (c.model->name != "mid") continue;
      CHECK(c.seconds < last);
      CHECK(c.seconds_measured == doctest::Approx(60 + 300 * 0.5));
      last = c.seconds;
    }
  }
  CHECK(last == doctest::Approx(core::kBestShare + 300 / 60.0));
}

TEST_CASE("a model that is chosen only for its age is said to be tried again") {
  Desk desk;
  desk.config.models = {make_model("a", "small", 1, 1),
                        make_model("b", "small", 1, 1)};
  desk.experience.paces["a"] = {50, 0.9, 0.001, 1, 0, {}};
  desk.experience.paces["b"] = {5, 3, 0.001, 0.1, 0, {}};
  const auto decision = desk.decide();
  CHECK(decision.candidates.front().model->name == "b");
  CHECK(all_notes(decision).find("b is tried again") != std::string::npos);
  desk.experience.paces["b"].failed = 2;
  CHECK(all_notes(desk.decide())
            .find("b is tried again: it counted as 3.3 s when it was last "
                  "measured, which is long ago, 2 of 5 calls having failed") !=
        std::string::npos);
  desk.experience.paces["b"].failed_ago = 42;
  CHECK(all_notes(desk.decide())
            .find("b is tried again: its last call failed, 42 s ago (it counts "
                  "as 3.3 s)") != std::string::npos);
  desk.experience.paces["b"].first_token = 0.3;
  CHECK(all_notes(desk.decide()).find("tried again") == std::string::npos);
}

TEST_CASE(
    "a model that is held is not a candidate, unless it is asked anyway") {
  Desk desk;
  desk.experience.held["cheap"] = "kept failing";
  const auto decision = desk.decide();
  REQUIRE(decision.excluded.size() == 1);
  CHECK(decision.excluded[0].gate == core::Gate::kHeld);
  CHECK(decision.excluded[0].reason == "kept failing");
}

TEST_CASE("verdicts move the choice, and only in their cell") {
  Desk desk;
  const std::string before = desk.chosen();
  desk.judge(before, 0, 200);
  CHECK(desk.chosen() != before);
  desk.analysis.difficulty += 1;  // another cell
  const auto elsewhere = desk.decide();
  for (const core::Candidate& c : elsewhere.candidates) CHECK(c.learned == 0);
}

TEST_CASE("RL-6: without a draw or a share nothing is explored") {
  Desk desk;
  CHECK_FALSE(desk.decide().explored);
  CHECK_FALSE(desk.decide(0.999).explored);
  desk.config.learning.explore = 0.05;
  CHECK_FALSE(desk.decide().explored);
}

TEST_CASE(
    "RL-6: the propensities of all candidates add up to 1, and the same "
    "draw chooses the same") {
  Desk desk;
  desk.config.learning.explore = 0.3;
  const std::string best = desk.chosen();
  std::map<std::string, int> chosen;
  std::map<std::string, double> propensity;
  constexpr int kDraws = 5000;
  for (int i = 0; i < kDraws; ++i) {
    const double draw = (i + 0.5) / kDraws;
    const auto decision = desk.decide(draw);
    CHECK(decision.explored);
    CHECK(sum_of_propensities(decision) == doctest::Approx(1));
    CHECK(desk.chosen(draw) == decision.candidates.front().model->name);
    ++chosen[decision.candidates.front().model->name];
    for (const core::Candidate& c : decision.candidates) {
      propensity[c.model->name] = c.propensity;
    }
  }
  CHECK(propensity[best] > 0.7);
  CHECK(chosen.size() == 3);
  for (const auto& [model, times] : chosen) {
    CHECK(times / static_cast<double>(kDraws) ==
          doctest::Approx(propensity[model]).epsilon(0.02));
  }
}

TEST_CASE("RL-5: no exploration ever selects a model that a gate excludes") {
  learning::Random random(11);
  int alternatives = 0;
  for (int state = 0; state < 10'000; ++state) {
    Desk desk;
    desk.config.learning.explore = 0.5;
    desk.analysis = make_analysis(4 * random.uniform() - 2, random.uniform());
    std::map<std::string, bool> barred;
    for (const core::Model& model : desk.config.models) {
      const uint64_t how = random.below(6);
      if (how == 0) desk.options.deny.push_back(model.name);
      if (how == 1) desk.unavailable[model.name] = "not pulled";
      if (how == 2) desk.experience.held[model.name] = "kept failing";
      barred[model.name] = how < 3;
      if (how == 3) desk.judge(model.name, 1 + 50 * random.uniform(), 0);
    }
    if (random.below(4) == 0) {
      desk.max_cost = core::Money{
          static_cast<int64_t>(1e10 * random.uniform())};  // up to a cent
    }
    if (random.below(4) == 0) desk.options.require = {"local"};
    const auto decision = desk.decide(random.uniform());
    if (decision.candidates.empty()) continue;
    const core::Candidate& first = decision.candidates.front();
    CHECK_FALSE(barred[first.model->name]);
    CHECK(desk.options.require.empty());
    if (desk.max_cost) CHECK(*first.worst_cost <= *desk.max_cost);
    if (decision.explored) {
      CHECK(sum_of_propensities(decision) == doctest::Approx(1));
      ++alternatives;
    }
  }
  CHECK(alternatives > 1000);
}

TEST_CASE(
    "X10: a session keeps its model unless the gain exceeds margin and "
    "lost cache, and both are told") {
  Desk desk;
  desk.config.models = {make_model("a", "small", 1, 1),
                        make_model("b", "small", 1, 1)};
  for (core::Model& model : desk.config.models) {
    model.price.cached_input = core::per_token_from_usd_per_million(0.1);
  }
  desk.prompt = make_prompt(std::string(40'000, 'x'));
  desk.experience.session = core::Session{"s", "b", 0};
  CHECK(desk.chosen() == "b");
  // b is slower by 10 s, $0.005, above the margin of $0.0025.
  desk.config.models[1].first_token_seconds = 11;
  auto decision = desk.decide();
  CHECK(decision.candidates.front().model->name == "a");
  CHECK(all_notes(decision).find("session s leaves b") != std::string::npos);
  // 5,000 tokens that are cached save $0.0045.
  desk.experience.session->cached_tokens = 5000;
  decision = desk.decide();
  CHECK(decision.candidates.front().model->name == "b");
  const std::string notes = all_notes(decision);
  CHECK(
      notes.find("session s stays with b: a gains $0.00500, the switch margin "
                 "is $0.00250 and the lost prompt cache $0.00450") !=
      std::string::npos);
  desk.options.deny = {"b"};
  CHECK(desk.chosen() == "a");
}

}  // namespace llmroute::routing
