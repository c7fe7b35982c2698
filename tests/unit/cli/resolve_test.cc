#include "cli/resolve.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "option_cases.h"

namespace llmroute::cli {
namespace {

using base::FakeEnvironment;
using std::chrono::milliseconds;

base::Result<Settings> settings_of(const Words& words,
                                   const FakeEnvironment& environment = {}) {
  const Args args = parse(words);
  if (args.error) return *args.error;
  return resolve(args, environment);
}

std::string error_of(const Words& words,
                     const FakeEnvironment& environment = {}) {
  const auto settings = settings_of(words, environment);
  return settings ? "" : settings.error().message;
}

FakeEnvironment with(std::map<std::string, std::string> values) {
  FakeEnvironment environment;
  environment.values = std::move(values);
  return environment;
}

std::vector<OptionCase> option_cases() {
  std::vector<OptionCase> cases = prompt_option_cases();
  for (OptionCase& one : batch_option_cases()) cases.push_back(std::move(one));
  return cases;
}

}  // namespace

TEST_CASE("each option sets what it says") {
  for (const OptionCase& one : option_cases()) {
    CAPTURE(base::join(one.words, " "));
    CHECK_FALSE(one.holds(Settings()));
    const auto settings = settings_of(one.words);
    REQUIRE_MESSAGE(settings.has_value(), error_of(one.words));
    CHECK(one.holds(*settings));
  }
}

TEST_CASE("each row of the option table has its case above") {
  std::set<const OptionRow*> tested;
  for (const OptionCase& one : option_cases()) {
    tested.insert(find_option(one.option.substr(2), one.command));
  }
  for (const OptionRow& row : options()) {
    CAPTURE(row.spelling());
    CHECK((tested.count(&row) == 1) == (row.apply != nullptr));
  }
}

TEST_CASE("a bad value is an error that names the option and the value") {
  const std::vector<std::pair<Words, std::string>> cases = {
      {{"run", "--timeout", "soon"},
       "--timeout: bad value 'soon': expected a duration such as 30s, 2m or "
       "250ms"},
      {{"run", "--timeout", "0"},
       "--timeout: bad value '0': expected a duration such as 30s, 2m or "
       "250ms"},
      {{"run", "--timeout=-1s"},
       "--timeout: bad value '-1s': expected a duration such as 30s, 2m or "
       "250ms"},
      {{"run", "--max-cost", "1,5"},
       "--max-cost: bad value '1,5': expected dollars such as 0.05"},
      {{"run", "--max-cost", "-1"},
       "--max-cost: bad value '-1': expected dollars such as 0.05"},
      {{"run", "--worth", "$1"},
       "--worth: bad value '$1': expected dollars such as 0.05"},
      {{"run", "--max-tokens", "0"},
       "--max-tokens: bad value '0': expected a whole number from 1 on"},
      {{"run", "--max-tokens", "1e3"},
       "--max-tokens: bad value '1e3': expected a whole number from 1 on"},
      {{"run", "--seed", "x"},
       "--seed: bad value 'x': expected a whole number"},
      {{"run", "--retries", "101"},
       "--retries: bad value '101': expected a whole number from 0 to 100"},
      {{"run", "--temperature", "nan"},
       "--temperature: bad value 'nan': expected a number from 0 to 100"},
      {{"run", "--format", "yaml"},
       "--format: bad value 'yaml': expected one of text, json, jsonl"},
      {{"run", "--color=blue"},
       "--color: bad value 'blue': expected one of auto, always, never"},
      {{"run", "-m", "a,,b"},
       "--model: bad value 'a,,b': expected names separated by commas"},
      {{"run", "-m", ""},
       "--model: bad value '': expected names separated by commas"},
      {{"run", "-O", "x"}, "--option: bad value 'x': expected KEY=VALUE"},
      {{"run", "--tag", "=x"}, "--tag: bad value '=x': expected KEY=VALUE"},
      {{"run", "-c", ""},
       "--config: bad value '': expected a value that is not empty"},
  };
  for (const auto& [words, message] : cases) {
    CHECK(error_of(words) == message);
  }
}

TEST_CASE("variables act like options given first") {
  const auto settings = settings_of({"run"}, with({{"LLMROUTE_CONFIG", "f"},
                                                   {"LLMROUTE_PROFILE", "cost"},
                                                   {"LLMROUTE_MODEL", "a,b"},
                                                   {"LLMROUTE_ROUTE", "r"},
                                                   {"LLMROUTE_MAX_COST", "0.1"},
                                                   {"LLMROUTE_TIMEOUT", "9s"},
                                                   {"LLMROUTE_STDIN", "never"},
                                                   {"LLMROUTE_TAGS", "a=1,b=2"},
                                                   {"LLMROUTE_OFFLINE", "1"}}));
  REQUIRE(settings);
  CHECK(settings->config.file == "f");
  CHECK(settings->routing.profile == "cost");
  CHECK(settings->routing.models == Words{"a", "b"});
  CHECK(settings->routing.models_from_environment);
  CHECK(settings->routing.route == "r");
  CHECK(settings->routing.route_from_environment);
  CHECK(settings->limits.max_cost == core::parse_usd("0.1"));
  CHECK(settings->limits.timeout == milliseconds(9000));
  CHECK(settings->input.no_stdin);
  CHECK(settings->routing.tags.size() == 2);
  CHECK(settings->limits.offline);
}

TEST_CASE("options win over variables") {
  const auto environment = with({{"LLMROUTE_MODEL", "a"},
                                 {"LLMROUTE_ROUTE", "r"},
                                 {"LLMROUTE_CONFIG", "f"},
                                 {"LLMROUTE_TAGS", "a=1,b=2"}});
  const auto model = settings_of({"run", "-m", "x"}, environment);
  REQUIRE(model);
  CHECK(model->routing.models == Words{"x"});
  CHECK_FALSE(model->routing.models_from_environment);
  CHECK_FALSE(model->routing.route);
  const auto route = settings_of({"run", "-r", "x"}, environment);
  REQUIRE(route);
  CHECK(route->routing.route == "x");
  CHECK(route->routing.models.empty());
  const auto others =
      settings_of({"run", "--no-config", "--tag", "b=3"}, environment);
  REQUIRE(others);
  CHECK_FALSE(others->config.file);
  CHECK(others->routing.tags.at("a") == "1");
  CHECK(others->routing.tags.at("b") == "3");
}

TEST_CASE("a bad variable is an error that names it") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"LLMROUTE_TIMEOUT", "soon"}, {"LLMROUTE_MAX_COST", "much"},
      {"LLMROUTE_STDIN", "always"}, {"LLMROUTE_TAGS", "a"},
      {"LLMROUTE_OFFLINE", "yes"},  {"LLMROUTE_MODEL", ","},
  };
  for (const auto& [name, value] : cases) {
    const auto environment = with({{name, value}});
    CHECK(error_of({"run"}, environment)
              .starts_with(name + ": bad value '" + value + "': expected "));
    CHECK(error_of({"models"}, environment).empty());
  }
}

TEST_CASE("colour: the option, then the variables, then the terminal") {
  using When = app::ColorWhen;
  struct Case {
    Words words;
    std::map<std::string, std::string> variables;
    When expected;
  };
  const std::vector<Case> cases = {
      {{"run"}, {}, When::kAuto},
      {{"run"}, {{"NO_COLOR", "1"}}, When::kNever},
      {{"run"}, {{"NO_COLOR", ""}}, When::kAuto},
      {{"run"}, {{"FORCE_COLOR", "1"}}, When::kAlways},
      {{"run"}, {{"CLICOLOR_FORCE", "1"}, {"TERM", "dumb"}}, When::kAlways},
      {{"run"}, {{"NO_COLOR", "1"}, {"FORCE_COLOR", "1"}}, When::kNever},
      {{"run"}, {{"TERM", "dumb"}}, When::kNever},
      {{"run"}, {{"TERM", "xterm"}}, When::kAuto},
      {{"run", "--color"}, {{"NO_COLOR", "1"}}, When::kAlways},
      {{"run", "--color=never"}, {{"FORCE_COLOR", "1"}}, When::kNever},
      {{"run", "--color=auto"}, {{"NO_COLOR", "1"}}, When::kNever},
      {{"run", "--color=never", "--color=always"}, {}, When::kAlways},
  };
  for (const Case& one : cases) {
    const auto settings = settings_of(one.words, with(one.variables));
    REQUIRE(settings);
    CHECK(settings->messages.color == one.expected);
  }
}

TEST_CASE("how to tell an error is known even if other options are wrong") {
  const Args args = parse(Words{"run", "--timeout", "soon", "--error-format",
                                "json", "--error-format", "xml", "--modle"});
  REQUIRE(args.error);
  const auto options = message_options(args, with({{"NO_COLOR", "1"}}));
  CHECK(options.error_format == app::Format::kJson);
  CHECK(options.color == app::ColorWhen::kNever);
}

TEST_CASE("config takes an action, and only what goes with it") {
  const auto options = [](const Words& words) {
    const Args args = parse(words);
    REQUIRE_FALSE(args.error);
    return config_options(*resolve(args, FakeEnvironment()), args.operands);
  };
  const auto get = options({"config", "get", "limits.timeout"});
  REQUIRE(get);
  CHECK(get->action == app::ConfigAction::kGet);
  CHECK(get->key == "limits.timeout");
  for (const Words& words : std::vector<Words>{{"config"},
                                               {"config", "shwo"},
                                               {"config", "get"},
                                               {"config", "get", "a", "b"},
                                               {"config", "path", "a"},
                                               {"config", "path", "--origin"},
                                               {"config", "show", "--force"}}) {
    CAPTURE(base::join(words, " "));
    CHECK_FALSE(options(words));
  }
}

TEST_CASE("each command gets the settings that are its own") {
  Settings settings{};
  settings.output.file = "out";
  settings.output.format = app::Format::kJson;
  settings.card = "card";
  settings.threads = 4;
  settings.training_seed = 5;
  settings.seconds = 2;
  settings.all = true;
  settings.expect = {"x"};
  const auto train = train_options(settings, {"rows"});
  CHECK(train.files == Words{"rows"});
  CHECK(train.output == "out");
  CHECK(train.card == "card");
  CHECK(train.threads == 4);
  CHECK(train.seed == 5);
  CHECK(bench_options(settings, {"rows"}).seconds == 2);
  CHECK(models_options(settings, {"a*"}).all);
  CHECK(models_options(settings, {"a*"}).patterns == Words{"a*"});
  CHECK(explain_options(settings, {"hi"}).expect == Words{"x"});
  CHECK(explain_options(settings, {"hi"}).format == app::Format::kJson);
  CHECK(run_options(settings, {"hi"}).output.file == "out");
  CHECK(run_options(settings, {"hi"}).input.operands == Words{"hi"});
}

}  // namespace llmroute::cli
