#include "cli/resolve.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/names.h"
#include "base/text.h"

namespace llmroute::cli {
namespace {

base::Status check_choice(const OptionRow& row, std::string_view value) {
  if (row.choices.empty()) return {};
  const std::vector<std::string> choices = base::split(row.choices, ' ');
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) {
    return {};
  }
  return base::Error{base::ErrorKind::kUsage,
                     "expected one of " + base::join(choices, ", ")};
}

base::Status apply_option(const OptionRow& row, std::string_view value,
                          const std::string& name, Settings& settings) {
  base::Status status = check_choice(row, value);
  if (status && row.apply != nullptr) status = row.apply(settings, value);
  if (status) return {};
  return base::Error{
      base::ErrorKind::kUsage,
      fmt::format("{}: bad value '{}': {}", name, base::shown_name(value),
                  status.error().message)};
}

// A variable that acts like an option acts only where that option goes; the
// others belong to the commands that read a prompt.
base::Status apply_variable(const VariableRow& row, const std::string& value,
                            Command command, Settings& settings) {
  const std::string name(row.name);
  if (!row.option.empty()) {
    const OptionRow* option = find_option(row.option, command);
    if (option == nullptr) return {};
    return apply_option(*option, value, name, settings);
  }
  const bool reads_prompt = command == Command::kRun ||
                            command == Command::kExplain ||
                            command == Command::kBatch;
  if (row.apply == nullptr || !reads_prompt) return {};
  return apply_option({.apply = row.apply}, value, name, settings);
}

base::Status apply_variables(const base::Environment& environment,
                             Command command, Settings& settings) {
  for (const VariableRow& row : variables()) {
    if (row.option.empty() && row.apply == nullptr) continue;
    const auto value = environment.get(std::string(row.name));
    if (!value) continue;
    LLMROUTE_CHECK(apply_variable(row, *value, command, settings));
  }
  settings.routing.models_from_environment = !settings.routing.models.empty();
  settings.routing.route_from_environment = settings.routing.route.has_value();
  settings.ledger.files_from_environment = !settings.ledger.files.empty();
  return {};
}

// As no-color.org, bixense.com/clicolors and force-color.org have it. What is
// left to each stream is whether it is a terminal.
app::ColorWhen color_of(const base::Environment& environment) {
  if (environment.get("NO_COLOR")) return app::ColorWhen::kNever;
  if (environment.get("CLICOLOR_FORCE") || environment.get("FORCE_COLOR")) {
    return app::ColorWhen::kAlways;
  }
  const bool dumb = environment.get("TERM") == "dumb";
  return dumb ? app::ColorWhen::kNever : app::ColorWhen::kAuto;
}

base::Error usage(std::string message) {
  return {base::ErrorKind::kUsage, std::move(message)};
}

}  // namespace

base::Result<Settings> resolve(const Args& args,
                               const base::Environment& environment) {
  Settings settings;
  LLMROUTE_CHECK(apply_variables(environment, args.command, settings));
  for (const GivenOption& given : args.options) {
    LLMROUTE_CHECK(
        apply_option(*given.row, given.value, given.row->spelling(), settings));
  }
  if (settings.messages.color == app::ColorWhen::kAuto) {
    settings.messages.color = color_of(environment);
  }
  return settings;
}

app::MessageOptions message_options(const Args& args,
                                    const base::Environment& environment) {
  Settings settings;
  for (const GivenOption& given : args.options) {
    (void)apply_option(*given.row, given.value, given.row->spelling(),
                       settings);
  }
  if (settings.messages.color == app::ColorWhen::kAuto) {
    settings.messages.color = color_of(environment);
  }
  return settings.messages;
}

app::RunOptions run_options(Settings settings,
                            std::vector<std::string> operands) {
  settings.input.operands = std::move(operands);
  return {std::move(settings.config),  std::move(settings.input),
          std::move(settings.routing), std::move(settings.request),
          std::move(settings.limits),  std::move(settings.output),
          std::move(settings.ledger),  settings.messages};
}

app::ExplainOptions explain_options(Settings settings,
                                    std::vector<std::string> operands) {
  settings.input.operands = std::move(operands);
  return {.config = std::move(settings.config),
          .input = std::move(settings.input),
          .routing = std::move(settings.routing),
          .request = std::move(settings.request),
          .limits = std::move(settings.limits),
          .ledger = std::move(settings.ledger),
          .format = settings.output.format,
          .no_timing = settings.no_timing,
          .why_not = std::move(settings.why_not),
          .jsonl = settings.jsonl,
          .diff = std::move(settings.diff),
          .expect = std::move(settings.expect),
          .messages = settings.messages};
}

app::BatchOptions batch_options(Settings settings,
                                std::vector<std::string> operands) {
  settings.batch_input.files = std::move(operands);
  return {.config = std::move(settings.config),
          .input = std::move(settings.batch_input),
          .routing = std::move(settings.routing),
          .request = std::move(settings.request),
          .limits = std::move(settings.limits),
          .output = std::move(settings.batch_output),
          .ledger = std::move(settings.ledger),
          .jobs = settings.jobs,
          .requests_per_minute = settings.requests_per_minute,
          .tokens_per_minute = settings.tokens_per_minute,
          .max_errors = settings.max_errors,
          .max_errors_percent = settings.max_errors_percent,
          .strict = settings.strict,
          .validate = settings.validate,
          .dry_run = settings.dry_run,
          .split = std::move(settings.split),
          .collect = std::move(settings.collect),
          .format = settings.output.format,
          .messages = settings.messages};
}

app::BenchOptions bench_options(Settings settings,
                                std::vector<std::string> operands) {
  return {.config = std::move(settings.config),
          .files = std::move(operands),
          .format = settings.output.format,
          .seconds = settings.seconds,
          .speed = std::move(settings.speed),
          .quality = std::move(settings.quality),
          .seed = settings.training_seed,
          .messages = settings.messages};
}

app::TrainOptions train_options(Settings settings,
                                std::vector<std::string> operands) {
  return {.config = std::move(settings.config),
          .ledger = std::move(settings.ledger),
          .from_ledger = settings.from_ledger,
          .files = std::move(operands),
          .output = std::move(settings.output.file),
          .card = std::move(settings.card),
          .init = std::move(settings.init),
          .heads = std::move(settings.heads),
          .without = std::move(settings.without),
          .seed = settings.training_seed,
          .threads = settings.threads,
          .force = settings.force,
          .format = settings.output.format,
          .messages = settings.messages};
}

app::ModelsOptions models_options(Settings settings,
                                  std::vector<std::string> operands) {
  return {.config = std::move(settings.config),
          .ledger = std::move(settings.ledger),
          .format = settings.output.format,
          .all = settings.all,
          .patterns = std::move(operands),
          .messages = settings.messages};
}

app::UsageOptions usage_options(Settings settings) {
  return {.config = std::move(settings.config),
          .ledger = std::move(settings.ledger),
          .action = settings.usage_action,
          .by = std::move(settings.by),
          .since = std::move(settings.since),
          .until = std::move(settings.until),
          .purge_before = std::move(settings.purge_before),
          .format = settings.output.format,
          .messages = settings.messages};
}

base::Result<app::FeedbackOptions> feedback_options(
    Settings settings, const std::vector<std::string>& operands) {
  const std::string& verdict = operands[1];
  std::optional<double> score = base::parse_double(verdict);
  if (verdict == "good") score = 1;
  if (verdict == "bad") score = 0;
  if (!score || *score < 0 || *score > 1) {
    return usage(fmt::format(
        "'feedback': bad verdict '{}': expected good, bad or a number from 0 "
        "to 1",
        verdict));
  }
  return app::FeedbackOptions{.ledger = std::move(settings.ledger),
                              .decision = operands[0],
                              .score = *score,
                              .messages = settings.messages};
}

base::Result<app::ReplayOptions> replay_options(
    Settings settings, const std::vector<std::string>& operands) {
  if (operands.empty() && !settings.with) {
    return usage("'replay' needs an ID, or --with FILE");
  }
  if (settings.since && (!operands.empty() || !settings.with)) {
    return usage("--since goes with --with and no ID");
  }
  return app::ReplayOptions{
      .ledger = std::move(settings.ledger),
      .decision = operands.empty() ? std::nullopt : std::optional(operands[0]),
      .with = std::move(settings.with),
      .since = std::move(settings.since),
      .format = settings.output.format,
      .messages = settings.messages};
}

base::Result<app::ConfigCommandOptions> config_options(
    Settings settings, const std::vector<std::string>& operands) {
  constexpr std::pair<std::string_view, app::ConfigAction> kActions[] = {
      {"path", app::ConfigAction::kPath},
      {"show", app::ConfigAction::kShow},
      {"check", app::ConfigAction::kCheck},
      {"init", app::ConfigAction::kInit},
      {"get", app::ConfigAction::kGet}};
  const std::string names = base::join(
      base::split(command_row(Command::kConfig).operand_words, ' '), ", ");
  if (operands.empty()) return usage("'config' needs one of " + names);
  const auto action =
      std::find_if(std::begin(kActions), std::end(kActions),
                   [&](const auto& row) { return row.first == operands[0]; });
  if (action == std::end(kActions)) {
    return usage(
        fmt::format("'config' knows no '{}', only {}", operands[0], names));
  }
  const bool needs_key = action->second == app::ConfigAction::kGet;
  const bool takes_file = action->second == app::ConfigAction::kCheck;
  if (takes_file && operands.size() == 2 && !settings.config.file) {
    settings.config.file = operands[1];
  } else if (operands.size() != (needs_key ? 2U : 1U)) {
    return usage(fmt::format("'config {}' takes {}", operands[0],
                             needs_key    ? "one key"
                             : takes_file ? "one file, or -c FILE"
                                          : "no operands; -c FILE names the "
                                            "configuration"));
  }
  if (settings.origin && action->second != app::ConfigAction::kShow) {
    return usage("--origin goes with 'config show'");
  }
  if (settings.force && action->second != app::ConfigAction::kInit) {
    return usage("--force goes with 'config init'");
  }
  return app::ConfigCommandOptions{.config = std::move(settings.config),
                                   .action = action->second,
                                   .key = needs_key ? operands[1] : "",
                                   .origin = settings.origin,
                                   .force = settings.force,
                                   .messages = settings.messages};
}

}  // namespace llmroute::cli
