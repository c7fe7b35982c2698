#include "routing/router.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "fixture.h"
#include "routing/selection.h"

namespace llmroute::routing {
namespace {

using core::Config;
using core::Decision;
using core::RoutingOptions;

Decision decide(const Config& config, const core::Analysis& analysis,
                const RoutingOptions& options = {},
                std::optional<core::Money> ceiling = {},
                const std::string& text = "some prompt text") {
  const core::Prompt prompt = make_prompt(text);
  const auto router = Router::create(config);
  REQUIRE(router.has_value());
  auto decision = router->decide({prompt, analysis, options, ceiling, {}, {}});
  REQUIRE(decision.has_value());
  return *decision;
}

std::string chosen(const Decision& decision) {
  return decision.candidates.empty() ? ""
                                     : decision.candidates.front().model->name;
}

std::string reason_for(const Decision& decision, const std::string& model) {
  for (const auto& excluded : decision.excluded) {
    if (excluded.model->name == model) return excluded.reason;
  }
  return "";
}

}  // namespace

TEST_CASE("worth is dollars: what the answer gains less what it costs") {
  const Config config = make_config();
  const Decision decision = decide(config, make_analysis(0));
  for (const auto& c : decision.candidates) {
    const double good = 1 / (1 + std::exp(-1.5 * c.model->ability[0]));
    CHECK(c.good == doctest::Approx(good));
    CHECK(c.worth ==
          doctest::Approx(0.05 * good - c.cost->usd() - 0.0005 * c.seconds));
  }
}

TEST_CASE("OAI-3: easy goes to the cheap model, hard to the strong one") {
  const Config config = make_config();
  CHECK(chosen(decide(config, make_analysis(-4))) == "cheap");
  CHECK(chosen(decide(config, make_analysis(2))) == "strong");
}

TEST_CASE("adding a model never reorders the others") {
  const auto order = [](const Config& config) {
    std::vector<std::string> names;
    for (const auto& c : decide(config, make_analysis(0.5)).candidates) {
      if (c.model->name != "new") names.push_back(c.model->name);
    }
    return names;
  };
  Config config = make_config();
  const std::vector<std::string> before = order(config);
  config.models.push_back(make_model("new", "medium", 1.2, 0.5));
  CHECK(order(config) == before);
}

TEST_CASE("when nothing is worth its cost, the least per good answer wins") {
  const Config config = make_config();
  RoutingOptions options;
  options.worth = 0.001;
  const Decision decision = decide(config, make_analysis(2.5), options);
  for (const auto& c : decision.candidates) {
    CHECK(c.worth < 0);
    const double spent = c.cost->usd() + 0.0005 * c.seconds;
    CHECK(c.per_good_answer == doctest::Approx(spent / c.good));
    CHECK(c.per_good_answer >= decision.candidates.front().per_good_answer);
  }
  CHECK(chosen(decision) != "cheap");
  CHECK(decision.notes[0].find("no model is worth its cost") == 0);
}

TEST_CASE("ANT-3: lowering the confidence never lowers the tier") {
  std::mt19937 random(11);
  std::uniform_real_distribution<double> logit(-4, 5);
  for (int round = 0; round < 1000; ++round) {
    Config config = make_config();
    for (auto& model : config.models) model.ability.fill(logit(random) / 2);
    const double difficulty = logit(random);
    size_t last_tier = 0;
    for (double confidence = 1; confidence >= 0; confidence -= 0.125) {
      const Decision decision =
          decide(config, make_analysis(difficulty, confidence));
      const size_t tier = config.tier_of(*decision.candidates.front().model);
      INFO("seed 11, round " << round << ", confidence " << confidence);
      REQUIRE(tier >= last_tier);
      last_tier = tier;
    }
  }
}

TEST_CASE("the reason says so when doubt raised the tier") {
  const Config config = make_config();
  double difficulty = -4;
  while (chosen(decide(config, make_analysis(difficulty + 0.5))) == "cheap") {
    difficulty += 0.1;
  }
  CHECK(chosen(decide(config, make_analysis(difficulty))) == "cheap");
  const Decision unsure = decide(config, make_analysis(difficulty, 0));
  CHECK(chosen(unsure) != "cheap");
  REQUIRE(unsure.notes.size() == 1);
  CHECK(unsure.notes[0].find("unsure") == 0);
}

TEST_CASE("-m is a chain in its own order and its aliases work") {
  Config config = make_config();
  config.models[2].aliases = {"best"};
  RoutingOptions options;
  options.models = {"best", "cheap"};
  const Decision decision = decide(config, make_analysis(-4), options);
  CHECK(chosen(decision) == "strong");
  CHECK(decision.candidates.size() == 2);
  CHECK(decision.source == core::Source::kFlag);
}

TEST_CASE("unknown names are usage errors with the nearest name") {
  const Config config = make_config();
  const core::Prompt prompt = make_prompt("x");
  const auto router = Router::create(config);
  RoutingOptions options;
  options.models = {"stron"};
  const auto failed =
      router->decide({prompt, make_analysis(0), options, {}, {}, {}});
  REQUIRE(!failed.has_value());
  CHECK(failed.error().kind == base::ErrorKind::kUsage);
  CHECK(failed.error().message ==
        "unknown model 'stron' (did you mean 'strong'?)");
}

TEST_CASE("each excluded model keeps its one reason") {
  Config config = make_config();
  config.models[0].tags = {"tools"};
  RoutingOptions options;
  options.deny = {"str*"};
  options.require = {"tools"};
  const Decision decision = decide(config, make_analysis(0), options);
  CHECK(chosen(decision) == "cheap");
  CHECK(reason_for(decision, "strong") == "denied by 'str*'");
  CHECK(reason_for(decision, "mid") == "not tagged tools");
}

TEST_CASE("ANT-2: tiers pin and clamp, also by alias") {
  const Config config = make_config();
  RoutingOptions options;
  options.tier = "sonnet";
  CHECK(chosen(decide(config, make_analysis(-4), options)) == "mid");
  options = {};
  options.min_tier = "medium";
  CHECK(chosen(decide(config, make_analysis(-4), options)) == "mid");
  options = {};
  options.max_tier = "medium";
  CHECK(chosen(decide(config, make_analysis(3), options)) == "mid");
}

TEST_CASE("no clamp of tiers takes another's place") {
  const Config config = make_config();
  RoutingOptions options;
  options.tier = "medium";
  options.min_tier = "small";
  options.max_tier = "large";
  CHECK(chosen(decide(config, make_analysis(3), options)) == "mid");
  struct Case {
    const char *tier, *least, *most, *message;
  };
  const Case cases[] = {
      {"small", "large", "", "--tier small and --min-tier large"},
      {"large", "", "haiku", "--max-tier haiku and --tier large"},
      {"", "large", "small", "--max-tier small and --min-tier large"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.message);
    const auto given = [](const char* name) {
      return *name == 0 ? std::nullopt : std::optional<std::string>(name);
    };
    options.tier = given(one.tier);
    options.min_tier = given(one.least);
    options.max_tier = given(one.most);
    const core::Prompt prompt = make_prompt("x");
    const auto refused = Router::create(config)->decide(
        {prompt, make_analysis(0), options, {}, {}, {}});
    REQUIRE(!refused.has_value());
    CHECK(refused.error().kind == base::ErrorKind::kUsage);
    CHECK(refused.error().message ==
          std::string(one.message) + " exclude each other");
  }
}

TEST_CASE("a prompt that fits no window is bad data, not a trimmed prompt") {
  Config config = make_config();
  for (auto& model : config.models) model.context_window = 100;
  const Decision decision =
      decide(config, make_analysis(0), {}, {}, std::string(4000, 'x') + " y");
  CHECK(decision.candidates.empty());
  CHECK(no_candidate(decision).kind == base::ErrorKind::kData);
}

TEST_CASE("under a ceiling the output cap shrinks, then the model is refused") {
  const Config config = make_config();
  const Decision roomy =
      decide(config, make_analysis(3), {}, core::parse_usd("0.05"));
  CHECK(chosen(roomy) == "strong");
  for (const auto& c : roomy.candidates) {
    CHECK(c.worst_cost->pico <= core::parse_usd("0.05")->pico);
  }
  const Decision tight =
      decide(config, make_analysis(3), {}, core::parse_usd("0.000001"));
  CHECK(tight.candidates.empty());
  CHECK(no_candidate(tight).kind == base::ErrorKind::kBudget);
}

TEST_CASE(
    "an unknown price is never free: last in line, refused under a ceiling") {
  Config config = make_config();
  config.models.push_back(make_model("unpriced", "large", 5, 0));
  config.models.back().price = {};
  const Decision decision = decide(config, make_analysis(0));
  CHECK(decision.candidates.back().model->name == "unpriced");
  const Decision capped =
      decide(config, make_analysis(0), {}, core::parse_usd("1"));
  CHECK(reason_for(capped, "unpriced").find("no price") == 0);
}

TEST_CASE(
    "a rule's route, constraints and worth act; options win over its route") {
  Config config = make_config();
  core::Route strong_route;
  strong_route.name = "careful";
  strong_route.models = {"strong", "mid"};
  strong_route.selection = core::Selection::kOrdered;
  config.routes.push_back(strong_route);
  core::Rule rule;
  rule.name = "secrets";
  rule.pattern = "(?i)password";
  rule.route = "careful";
  rule.deny = {"strong"};
  config.rules.push_back(rule);

  const Decision hit =
      decide(config, make_analysis(-4), {}, {}, "my PassWord is x");
  CHECK(hit.rule == "secrets");
  CHECK(hit.route == "careful");
  CHECK(hit.source == core::Source::kRule);
  CHECK(chosen(hit) == "mid");
  CHECK(hit.rules[0].matched);

  RoutingOptions options;
  options.models = {"strong", "cheap"};
  const Decision forced =
      decide(config, make_analysis(-4), options, {}, "my password is x");
  CHECK(chosen(forced) == "cheap");  // the rule's deny is never crossed

  const Decision miss = decide(config, make_analysis(-4), {}, {}, "hello");
  CHECK(!miss.rule);
  CHECK(miss.rules[0].why == "pattern did not match");
}

TEST_CASE("the first rule that matches acts and the others say why not") {
  Config config = make_config();
  for (const char* name : {"one", "two"}) {
    core::Rule rule;
    rule.name = name;
    rule.pattern = "x+";
    rule.min_tier = "large";
    config.rules.push_back(rule);
  }
  const Decision decision = decide(config, make_analysis(0), {}, {}, "xx");
  CHECK(decision.rule == "one");
  CHECK(decision.rules[1].why == "matched, but an earlier rule acts");
}

namespace {

core::Rule rule_on_text(const std::string& name, const std::string& pattern) {
  core::Rule rule;
  rule.name = name;
  rule.pattern = pattern;
  rule.worth = name == "one" ? 1 : 2;
  return rule;
}

Decision decide_without_text(const Config& config, const Evidence& evidence) {
  const core::Prompt none = make_prompt("");
  const RoutingOptions options;
  const auto router = Router::create(config);
  REQUIRE(router);
  const core::Analysis analysis = make_analysis(0);
  Request request{none, analysis, options, {}, {}, {}};
  request.evidence = &evidence;
  auto decision = router->decide(request);
  REQUIRE(decision);
  return *decision;
}

}  // namespace

TEST_CASE("X2: evidence stands in for the text of a prompt") {
  Config config = make_config();
  config.rules = {rule_on_text("one", "x+"), rule_on_text("two", "y+")};
  const std::string text = "some yy words";
  const Decision with_text = decide(config, make_analysis(0), {}, {}, text);
  CHECK(with_text.rules[0].pattern_matched == false);
  CHECK(with_text.rules[1].pattern_matched == true);
  Evidence evidence;
  evidence.sizes = measure(make_prompt(text));
  evidence.patterns = {{"x+", false}, {"y+", true}};
  const Decision without = decide_without_text(config, evidence);
  CHECK(without.rule == "two");
  CHECK(!without.undecided);
  REQUIRE(without.candidates.size() == with_text.candidates.size());
  for (size_t i = 0; i < without.candidates.size(); ++i) {
    CHECK(without.candidates[i].worth == with_text.candidates[i].worth);
  }
}

TEST_CASE("X2: what evidence does not say leaves a decision open") {
  Config config = make_config();
  config.rules = {rule_on_text("one", "x+"), rule_on_text("two", "y+")};
  Evidence evidence;
  evidence.patterns = {{"y+", true}};
  CHECK(decide_without_text(config, evidence).undecided);
  std::swap(config.rules[0], config.rules[1]);  // the known one acts
  CHECK(!decide_without_text(config, evidence).undecided);
  config.rules = {rule_on_text("one", "z")};
  config.rules[0].tags = {"team"};  // does not hold, whatever the text is
  CHECK(!decide_without_text(config, evidence).undecided);
  config.rules = {core::Rule()};
  config.rules[0].files = {"*.py"};
  CHECK(decide_without_text(config, evidence).undecided);
  evidence.no_files = true;
  CHECK(!decide_without_text(config, evidence).undecided);
}

TEST_CASE("A17: hostile patterns are linear or refused, never a crash") {
  Config config = make_config();
  core::Rule rule;
  rule.name = "hostile";
  rule.pattern = "(a+)+$";
  rule.min_tier = "large";
  config.rules.push_back(rule);
  decide(config, make_analysis(0), {}, {}, std::string(1 << 20, 'a') + "b");
  config.rules[0].pattern = "((a{1,100}){1,100}){1,100}";
  const auto router = Router::create(config);
  REQUIRE(!router.has_value());
  CHECK(router.error().kind == base::ErrorKind::kConfig);
}

TEST_CASE("no_fallback keeps one candidate; fallback adds to the chain") {
  const Config config = make_config();
  RoutingOptions options;
  options.models = {"mid"};
  options.fallback = {"cheap"};
  const Decision chain = decide(config, make_analysis(0), options);
  REQUIRE(chain.candidates.size() == 2);
  CHECK(chain.candidates[1].model->name == "cheap");
  options = {};
  options.no_fallback = true;
  CHECK(decide(config, make_analysis(0), options).chain().size() == 1);
}

TEST_CASE("missing keys are permission, and say which variable") {
  const Config config = make_config();
  const core::Prompt prompt = make_prompt("x");
  const auto router = Router::create(config);
  const std::map<std::string, std::string> missing = {
      {"stub", "STUB_KEY is not set"}};
  const auto decision =
      router->decide({prompt, make_analysis(0), {}, {}, &missing, nullptr});
  REQUIRE(decision.has_value());
  const base::Error error = no_candidate(*decision);
  CHECK(error.kind == base::ErrorKind::kNoPermission);
  CHECK(error.message == "no model can answer: STUB_KEY is not set");
}

TEST_CASE("missing keys of built-in models are told to who has no others") {
  Config config = make_config();
  for (const char* name : {"a", "b"}) {
    core::Provider provider;
    provider.name = name;
    config.providers.push_back(provider);
    core::Model model = make_model(name, "small", 0, 1);
    model.provider = name;
    model.origin = "built-in";
    config.models.push_back(model);
  }
  const std::map<std::string, std::string> missing = {
      {"stub", "LABKEY is not set"},
      {"a", "A_KEY is not set"},
      {"b", "B_KEY is not set"}};
  const core::Prompt prompt = make_prompt("x");
  const auto message = [&]() {
    const auto router = Router::create(config);
    const auto decision =
        router->decide({prompt, make_analysis(0), {}, {}, &missing, nullptr});
    REQUIRE(decision.has_value());
    return no_candidate(*decision).message;
  };
  CHECK(message() == "no model can answer: LABKEY is not set");
  config.models.erase(config.models.begin(), config.models.begin() + 3);
  CHECK(message() ==
        "no model can answer: A_KEY is not set; B_KEY is not set; set one such "
        "variable, or start Ollama");
}

TEST_CASE("where all models lack a tag, a remedy is told") {
  Config config = make_config();
  config.models[0].tags = {"vision"};
  RoutingOptions options;
  const auto message = [&](const char* tag) {
    options.require = {tag};
    return no_candidate(decide(config, make_analysis(0), options)).message;
  };
  CHECK(message("tools") ==
        "no model can answer: cheap, mid, strong: not tagged tools; add tags = "
        "[\"tools\"] to the [models.NAME] of one that is");
  CHECK(message("vison") ==
        "no model can answer: cheap, mid, strong: not tagged vison; did you "
        "mean 'vision'?");
}

TEST_CASE(
    "VTX-4: profiles order the mean cost, and cost is never dearer than "
    "quality") {
  const Config config = make_config();
  double spent[3] = {0, 0, 0};
  const char* profiles[] = {"cost", "balanced", "quality"};
  for (int i = 0; i < 200; ++i) {
    double of_prompt[3] = {0, 0, 0};
    for (size_t p = 0; p < 3; ++p) {
      RoutingOptions options;
      options.profile = profiles[p];
      const Decision decision =
          decide(config, make_analysis(-4 + 0.04 * i, 0.5), options);
      of_prompt[p] = decision.candidates.front().cost->usd();
      spent[p] += of_prompt[p];
    }
    REQUIRE(of_prompt[0] <= of_prompt[2]);
  }
  CHECK(spent[0] <= spent[1]);
  CHECK(spent[1] <= spent[2]);
}

}  // namespace llmroute::routing
