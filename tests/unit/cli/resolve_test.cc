#include "cli/resolve.h"

#include <doctest/doctest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"

namespace llmroute::cli {
namespace {

using Words = std::vector<std::string>;
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

struct OptionCase {
  std::string option;  // its spelling; one case for each row of the table
  Command command;
  Words words;
  std::function<bool(const Settings&)> holds;
};

using Set = const Settings&;
constexpr Command kRun = Command::kRun;
constexpr Command kBatch = Command::kBatch;

const std::vector<OptionCase>& option_cases() {
  static const std::vector<OptionCase> cases = {
      {"--prompt",
       kRun,
       {"run", "-p", "a"},
       [](Set s) { return s.input.prompt == "a"; }},
      {"--file",
       kRun,
       {"run", "-f", "a", "--file=-"},
       [](Set s) {
         return s.input.files == Words{"a", "-"};
       }},
      {"--system",
       kRun,
       {"run", "--system-file", "f", "-s", "a"},
       [](Set s) { return s.input.system == "a" && !s.input.system_file; }},
      {"--system-file",
       kRun,
       {"run", "-s", "a", "--system-file", "f"},
       [](Set s) { return s.input.system_file == "f" && !s.input.system; }},
      {"--no-stdin",
       kRun,
       {"run", "--no-stdin"},
       [](Set s) { return s.input.no_stdin; }},
      {"--stdin-timeout",
       kRun,
       {"run", "--stdin-timeout", "250ms"},
       [](Set s) { return s.input.stdin_timeout == milliseconds(250); }},
      {"--lossy",
       kRun,
       {"run", "--lossy"},
       [](Set s) { return s.input.lossy; }},
      {"--model",
       kRun,
       {"run", "-m", "x", "-m", "a,b"},
       [](Set s) {
         return s.routing.models == Words{"a", "b"};
       }},
      {"--route",
       kRun,
       {"run", "-r", "a"},
       [](Set s) { return s.routing.route == "a"; }},
      {"--profile",
       kRun,
       {"run", "--profile", "cost"},
       [](Set s) { return s.routing.profile == "cost"; }},
      {"--worth",
       kRun,
       {"run", "--worth", "0.25"},
       [](Set s) { return s.routing.worth == 0.25; }},
      {"--wait",
       kRun,
       {"run", "--wait", "0"},
       [](Set s) { return s.routing.wait == 0.0; }},
      {"--tier",
       kRun,
       {"run", "--tier", "small"},
       [](Set s) { return s.routing.tier == "small"; }},
      {"--min-tier",
       kRun,
       {"run", "--min-tier", "a"},
       [](Set s) { return s.routing.min_tier == "a"; }},
      {"--max-tier",
       kRun,
       {"run", "--max-tier", "a"},
       [](Set s) { return s.routing.max_tier == "a"; }},
      {"--allow",
       kRun,
       {"run", "--allow", "a*", "--allow", "b"},
       [](Set s) {
         return s.routing.allow == Words{"a*", "b"};
       }},
      {"--deny",
       kRun,
       {"run", "--deny", "a*", "--deny", "b"},
       [](Set s) {
         return s.routing.deny == Words{"a*", "b"};
       }},
      {"--require",
       kRun,
       {"run", "--require", "local"},
       [](Set s) { return s.routing.require == Words{"local"}; }},
      {"--fallback",
       kRun,
       {"run", "--no-fallback", "--fallback", "a"},
       [](Set s) {
         return s.routing.fallback == Words{"a"} && !s.routing.no_fallback;
       }},
      {"--no-fallback",
       kRun,
       {"run", "--fallback", "a", "--no-fallback"},
       [](Set s) {
         return s.routing.fallback.empty() && s.routing.no_fallback;
       }},
      {"--tag",
       kRun,
       {"run", "--tag", "a=1", "--tag", "b==", "--tag", "a=2"},
       [](Set s) {
         return s.routing.tags ==
                std::map<std::string, std::string>{{"a", "2"}, {"b", "="}};
       }},
      {"--show-route",
       kRun,
       {"run", "--show-route"},
       [](Set s) { return s.output.show_route; }},
      {"--dry-run",
       kRun,
       {"run", "-n"},
       [](Set s) { return s.output.dry_run; }},
      {"--max-tokens",
       kRun,
       {"run", "--max-tokens", "7"},
       [](Set s) { return s.request.max_tokens == 7; }},
      {"--temperature",
       kRun,
       {"run", "--temperature", "0.5"},
       [](Set s) { return s.request.temperature == 0.5; }},
      {"--stop",
       kRun,
       {"run", "--stop", "a", "--stop", "b,c"},
       [](Set s) {
         return s.request.stop == Words{"a", "b,c"};
       }},
      {"--seed",
       kRun,
       {"run", "--seed", "-3"},
       [](Set s) { return s.request.seed == -3; }},
      {"--option",
       kRun,
       {"run", "-O", "a=1", "-O", "b="},
       [](Set s) {
         return s.request.extra.size() == 2 &&
                s.request.extra[0] ==
                    std::pair<std::string, std::string>("a", "1") &&
                s.request.extra[1].second.empty();
       }},
      {"--output",
       kRun,
       {"run", "-o", "f"},
       [](Set s) { return s.output.file == "f"; }},
      {"--output",
       Command::kTrain,
       {"train", "-o", "f"},
       [](Set s) { return s.output.file == "f"; }},
      {"--card",
       Command::kTrain,
       {"train", "--card", "f"},
       [](Set s) { return s.card == "f"; }},
      {"--force",
       Command::kTrain,
       {"train", "--force"},
       [](Set s) { return s.force; }},
      {"--force",
       Command::kConfig,
       {"config", "init", "--force"},
       [](Set s) { return s.force; }},
      {"--origin",
       Command::kConfig,
       {"config", "show", "--origin"},
       [](Set s) { return s.origin; }},
      {"--format",
       kRun,
       {"run", "--format", "text", "--format", "json"},
       [](Set s) { return s.output.format == app::Format::kJson; }},
      {"--json",
       kRun,
       {"run", "--json"},
       [](Set s) { return s.output.format == app::Format::kJson; }},
      {"--expect",
       Command::kExplain,
       {"explain", "--expect", "tier=small"},
       [](Set s) { return s.expect == Words{"tier=small"}; }},
      {"--no-timing",
       Command::kExplain,
       {"explain", "--no-timing"},
       [](Set s) { return s.no_timing; }},
      {"--all",
       Command::kModels,
       {"models", "--all"},
       [](Set s) { return s.all; }},
      {"--no-stream",
       kRun,
       {"run", "--no-stream"},
       [](Set s) { return s.output.no_stream; }},
      {"--stats",
       kRun,
       {"run", "--stats"},
       [](Set s) { return s.output.stats; }},
      {"--error-format",
       kRun,
       {"run", "--error-format", "json"},
       [](Set s) { return s.messages.error_format == app::Format::kJson; }},
      {"--color",
       kRun,
       {"run", "--color"},
       [](Set s) { return s.messages.color == app::ColorWhen::kAlways; }},
      {"--quiet",
       kRun,
       {"run", "-v", "-q"},
       [](Set s) { return s.messages.quiet && s.messages.verbose == 0; }},
      {"--verbose",
       kRun,
       {"run", "-q", "-vv"},
       [](Set s) { return !s.messages.quiet && s.messages.verbose == 2; }},
      {"--max-cost",
       kRun,
       {"run", "--max-cost", "0.050"},
       [](Set s) { return s.limits.max_cost == "0.050"; }},
      {"--timeout",
       kRun,
       {"run", "--timeout", "2m"},
       [](Set s) { return s.limits.timeout == milliseconds(120'000); }},
      {"--connect-timeout",
       kRun,
       {"run", "--connect-timeout", "3"},
       [](Set s) { return s.limits.connect_timeout == milliseconds(3000); }},
      {"--first-token-timeout",
       kRun,
       {"run", "--first-token-timeout", "1.5s"},
       [](Set s) {
         return s.limits.first_token_timeout == milliseconds(1500);
       }},
      {"--idle-timeout",
       kRun,
       {"run", "--idle-timeout", "1h"},
       [](Set s) { return s.limits.idle_timeout == milliseconds(3'600'000); }},
      {"--retries",
       kRun,
       {"run", "--retries", "0"},
       [](Set s) { return s.limits.retries == 0; }},
      {"--seconds",
       Command::kBench,
       {"bench", "--seconds", "0.5"},
       [](Set s) { return s.seconds == 0.5; }},
      {"--speed",
       Command::kBench,
       {"bench", "--speed", "lines"},
       [](Set s) { return s.speed == "lines"; }},
      {"--models",
       Command::kBench,
       {"bench", "--models", "a,b*"},
       [](Set s) {
         return s.quality.models == std::vector<std::string>{"a", "b*"};
       }},
      {"--part",
       Command::kBench,
       {"bench", "--part", "test"},
       [](Set s) { return s.quality.test_part; }},
      {"--model-file",
       Command::kBench,
       {"bench", "--model-file", "f"},
       [](Set s) { return s.quality.model_file == "f"; }},
      {"--target-quality",
       Command::kBench,
       {"bench", "--target-quality", "0.95"},
       [](Set s) { return s.quality.target_quality == 0.95; }},
      {"--robust",
       Command::kBench,
       {"bench", "--robust"},
       [](Set s) { return s.quality.robust; }},
      {"--folds",
       Command::kBench,
       {"bench", "--folds", "5"},
       [](Set s) { return s.quality.folds == 5; }},
      {"--groups",
       Command::kBench,
       {"bench", "--groups"},
       [](Set s) { return s.quality.groups; }},
      {"--unseen",
       Command::kBench,
       {"bench", "--unseen"},
       [](Set s) { return s.quality.unseen; }},
      {"--train",
       Command::kBench,
       {"bench", "--train", "a", "--train", "b"},
       [](Set s) {
         return s.quality.train == std::vector<std::string>{"a", "b"};
       }},
      {"--plot",
       Command::kBench,
       {"bench", "--plot", "f"},
       [](Set s) { return s.quality.plot == "f"; }},
      {"--baseline",
       Command::kBench,
       {"bench", "--baseline", "f"},
       [](Set s) { return s.quality.baseline == "f"; }},
      {"--fail-if",
       Command::kBench,
       {"bench", "--fail-if", "apgr<0.6", "--fail-if", "ece>=.1"},
       [](Set s) {
         return s.quality.fail_if ==
                std::vector<std::string>{"apgr<0.6", "ece>=.1"};
       }},
      {"--threads",
       Command::kTrain,
       {"train", "--threads", "3"},
       [](Set s) { return s.threads == 3; }},
      {"--config",
       kRun,
       {"run", "--no-config", "-c", "f"},
       [](Set s) { return s.config.file == "f" && !s.config.no_config; }},
      {"--no-config",
       kRun,
       {"run", "-c", "f", "--no-config"},
       [](Set s) { return !s.config.file && s.config.no_config; }},
      {"--heads",
       Command::kTrain,
       {"train", "--heads", "a,b*", "f"},
       [](Set s) {
         return s.heads == std::vector<std::string>{"a", "b*"};
       }},
      {"--without",
       Command::kTrain,
       {"train", "--without", "a", "--without", "b*", "f"},
       [](Set s) {
         return s.without == std::vector<std::string>{"a", "b*"};
       }},
      {"--init",
       Command::kTrain,
       {"train", "--init", "f"},
       [](Set s) { return s.init == "f"; }},
      {"--seed",
       Command::kTrain,
       {"train", "--seed", "9"},
       [](Set s) { return s.training_seed == 9; }},
      {"--template",
       kBatch,
       {"batch", "--template", "a {b}"},
       [](Set s) { return s.batch_input.prompt_template == "a {b}"; }},
      {"--prompt-field",
       kBatch,
       {"batch", "--prompt-field", "a"},
       [](Set s) { return s.batch_input.prompt_field == "a"; }},
      {"--lines",
       kBatch,
       {"batch", "--lines"},
       [](Set s) { return s.batch_input.lines; }},
      {"--null",
       kBatch,
       {"batch", "-0"},
       [](Set s) { return s.batch_input.nul; }},
      {"--system",
       kBatch,
       {"batch", "-s", "a"},
       [](Set s) { return s.batch_input.system == "a"; }},
      {"--system-file",
       kBatch,
       {"batch", "--system-file", "f"},
       [](Set s) { return s.batch_input.system_file == "f"; }},
      {"--ignore-unknown",
       kBatch,
       {"batch", "--ignore-unknown"},
       [](Set s) { return s.batch_input.ignore_unknown; }},
      {"--skip",
       kBatch,
       {"batch", "--skip", "3"},
       [](Set s) { return s.batch_input.skip == 3; }},
      {"--limit",
       kBatch,
       {"batch", "--limit", "0"},
       [](Set s) { return s.batch_input.limit == 0; }},
      {"--shard",
       kBatch,
       {"batch", "--shard", "2/5"},
       [](Set s) { return s.batch_input.shard == "2/5"; }},
      {"--reroute",
       kBatch,
       {"batch", "--reroute"},
       [](Set s) { return s.batch_input.reroute; }},
      {"--dry-run", kBatch, {"batch", "-n"}, [](Set s) { return s.dry_run; }},
      {"--validate",
       kBatch,
       {"batch", "--validate"},
       [](Set s) { return s.validate; }},
      {"--split",
       kBatch,
       {"batch", "--split", "d"},
       [](Set s) { return s.split == "d"; }},
      {"--collect",
       kBatch,
       {"batch", "--collect", "d"},
       [](Set s) { return s.collect == "d"; }},
      {"--output",
       kBatch,
       {"batch", "-o", "f"},
       [](Set s) { return s.batch_output.file == "f"; }},
      {"--journal",
       kBatch,
       {"batch", "--journal", "f"},
       [](Set s) { return s.batch_output.journal == "f"; }},
      {"--errors",
       kBatch,
       {"batch", "--errors", "f"},
       [](Set s) { return s.batch_output.errors == "f"; }},
      {"--out",
       kBatch,
       {"batch", "--out", "openai"},
       [](Set s) { return s.batch_output.form == "openai"; }},
      {"--unordered",
       kBatch,
       {"batch", "--unordered"},
       [](Set s) { return s.batch_output.unordered; }},
      {"--echo",
       kBatch,
       {"batch", "--echo"},
       [](Set s) { return s.batch_output.echo; }},
      {"--no-extras",
       kBatch,
       {"batch", "--no-extras"},
       [](Set s) { return !s.batch_output.extras; }},
      {"--no-timing",
       kBatch,
       {"batch", "--no-timing"},
       [](Set s) { return !s.batch_output.timing; }},
      {"--force",
       kBatch,
       {"batch", "--force"},
       [](Set s) { return s.batch_output.force; }},
      {"--repair",
       kBatch,
       {"batch", "--repair"},
       [](Set s) { return s.batch_output.repair; }},
      {"--retry-errors",
       kBatch,
       {"batch", "--retry-errors"},
       [](Set s) { return s.batch_output.retry_errors; }},
      {"--match",
       kBatch,
       {"batch", "--match", "id"},
       [](Set s) { return s.batch_output.match == "id"; }},
      {"--accept-config-change",
       kBatch,
       {"batch", "--accept-config-change"},
       [](Set s) { return s.batch_output.accept_config_change; }},
      {"--fsync",
       kBatch,
       {"batch", "--fsync", "none"},
       [](Set s) { return s.batch_output.fsync == "none"; }},
      {"--progress",
       kBatch,
       {"batch", "--progress", "json"},
       [](Set s) { return s.batch_output.progress == "json"; }},
      {"--summary",
       kBatch,
       {"batch", "--summary", "f"},
       [](Set s) { return s.batch_output.summary == "f"; }},
      {"--jobs",
       kBatch,
       {"batch", "-j", "3"},
       [](Set s) { return s.jobs == 3; }},
      {"--rpm",
       kBatch,
       {"batch", "--rpm", "60"},
       [](Set s) { return s.requests_per_minute == 60.0; }},
      {"--tpm",
       kBatch,
       {"batch", "--tpm", "1e3"},
       [](Set s) { return s.tokens_per_minute == 1000.0; }},
      {"--max-cost",
       kBatch,
       {"batch", "--max-cost", "5"},
       [](Set s) { return s.limits.max_cost == "5"; }},
      {"--max-errors",
       kBatch,
       {"batch", "--max-errors", "5%"},
       [](Set s) { return s.max_errors == 5.0 && s.max_errors_percent; }},
      {"--strict",
       kBatch,
       {"batch", "--strict"},
       [](Set s) { return s.strict; }},
  };
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
       "--format: bad value 'yaml': expected one of text, json"},
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
  CHECK(settings->limits.max_cost == "0.1");
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
