#include "cli/apply.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "app/bench_figures.h"
#include "base/date.h"
#include "base/text.h"

namespace llmroute::cli {

Status set_prompt(Settings& s, Text value) {
  s.input.prompt = std::string(value);  // may be blank: that is no input
  return {};
}

Status set_system(Settings& s, Text value) {
  s.input.system = std::string(value);
  s.input.system_file.reset();
  return {};
}

Status set_system_file(Settings& s, Text value) {
  s.input.system.reset();
  return set_text(s.input.system_file, value);
}

Status add_fallback(Settings& s, Text value) {
  s.routing.no_fallback = false;
  return add_text(s.routing.fallback, value);
}

Status clear_fallback(Settings& s, Text) {
  s.routing.fallback.clear();
  s.routing.no_fallback = true;
  return {};
}

Status set_seed(Settings& s, Text value) {
  LLMROUTE_TRY(s.request.seed, whole_number(value, INT64_MIN, INT64_MAX));
  return {};
}

Status set_max_cost(Settings& s, Text value) {
  return set_usd(s.limits.max_cost, value);
}

Status set_seconds(Settings& s, Text value) {
  LLMROUTE_TRY(s.seconds, number(value, 0.01, 3600));
  return {};
}

Status be_quiet(Settings& s, Text) {
  s.messages.quiet = true;
  s.messages.verbose = 0;
  return {};
}

Status be_verbose(Settings& s, Text) {
  s.messages.quiet = false;
  ++s.messages.verbose;
  return {};
}

Status set_config(Settings& s, Text value) {
  s.config.no_config = false;
  return set_text(s.config.file, value);
}

Status set_key_fd(Settings& s, Text value) {
  LLMROUTE_TRY(const int64_t fd, whole_number(value, 3, 65535));
  s.config.key_fd = static_cast<int>(fd);
  return {};
}

Status set_no_config(Settings& s, Text) {
  s.config.file.reset();
  s.config.no_config = true;
  return {};
}

Status set_json(Settings& s, Text) {
  s.output.format = app::Format::kJson;
  return {};
}

Status set_model(Settings& s, Text value) {
  LLMROUTE_CHECK(set_list(s.routing.models, value));
  s.routing.models_from_environment = false;
  if (s.routing.route_from_environment) s.routing.route.reset();
  return {};
}

Status set_route(Settings& s, Text value) {
  LLMROUTE_CHECK(set_text(s.routing.route, value));
  s.routing.route_from_environment = false;
  if (s.routing.models_from_environment) s.routing.models.clear();
  return {};
}

Status set_temperature(Settings& s, Text value) {
  LLMROUTE_TRY(s.request.temperature, number(value, 0, 100));
  return {};
}

Status set_max_tokens(Settings& s, Text value) {
  LLMROUTE_TRY(s.request.max_tokens, whole_number(value, 1, INT64_MAX));
  return {};
}

Status set_retries(Settings& s, Text value) {
  LLMROUTE_TRY(const int64_t retries, whole_number(value, 0, 100));
  s.limits.retries = static_cast<int>(retries);
  return {};
}

Status add_option_pair(Settings& s, Text value) {
  LLMROUTE_TRY(auto pair, key_value(value));
  s.request.extra.push_back(std::move(pair));
  return {};
}

Status add_tag(Settings& s, Text value) {
  LLMROUTE_TRY(const auto tag, key_value(value));
  s.routing.tags[tag.first] = tag.second;
  return {};
}

Status set_ledger(Settings& s, Text value) {
  if (value.empty()) return expected("a file, or off");
  s.ledger.files = {std::string(value)};
  s.ledger.files_from_environment = false;
  return {};
}

Status no_ledger(Settings& s, Text) { return set_ledger(s, "off"); }

Status set_session(Settings& s, Text value) {
  constexpr size_t kLongest = 256;
  if (value.empty() || value.size() > kLongest) return expected("a name");
  s.ledger.session = std::string(value);
  return {};
}

Status set_from_ledger(Settings& s, Text) {
  s.from_ledger = true;
  return {};
}

Status no_learn(Settings& s, Text) {
  s.ledger.learn = false;
  return {};
}

Status add_ledger(Settings& s, Text value) {
  if (s.ledger.files_from_environment) s.ledger.files.clear();
  s.ledger.files_from_environment = false;
  return add_text(s.ledger.files, value);
}

Status set_by(Settings& s, Text value) {
  std::vector<std::string> names;
  LLMROUTE_CHECK(set_list(names, value));
  s.by.clear();
  for (const std::string& name : names) {
    const auto* found = std::find_if(
        std::begin(store::kGroupings), std::end(store::kGroupings),
        [&](store::Grouping g) { return store::grouping_name(g) == name; });
    if (found == std::end(store::kGroupings) ||
        std::find(s.by.begin(), s.by.end(), *found) != s.by.end()) {
      return expected("day, model, provider, route, profile, tag, each once");
    }
    s.by.push_back(*found);
  }
  return {};
}

namespace {

Status set_day(std::optional<std::string>& target, Text value) {
  if (!base::parse_since(value, {})) return expected("2026-11-01 or 7d");
  target = value;
  return {};
}

}  // namespace

Status set_since(Settings& s, Text value) { return set_day(s.since, value); }
Status set_until(Settings& s, Text value) { return set_day(s.until, value); }

Status choose_action(Settings& s, app::UsageAction action) {
  if (s.usage_action != app::UsageAction::kReport && s.usage_action != action) {
    return expected(
        "one of --recount, --release-orphans, --purge-before at a time");
  }
  s.usage_action = action;
  return {};
}

Status set_purge(Settings& s, Text value) {
  if (!base::parse_day(value)) return expected("a day such as 2026-11-01");
  s.purge_before = value;
  return choose_action(s, app::UsageAction::kPurge);
}

Status set_color(Settings& s, Text value) {
  s.messages.color = value == "never"  ? app::ColorWhen::kNever
                     : value == "auto" ? app::ColorWhen::kAuto
                                       : app::ColorWhen::kAlways;
  return {};
}

Status set_sanitize(Settings& s, Text value) {
  s.output.sanitize = value == "never"  ? app::Sanitize::kNever
                      : value == "auto" ? app::Sanitize::kAuto
                                        : app::Sanitize::kAlways;
  return {};
}

Status set_format(Settings& s, Text value) {
  s.output.format = value == "json"    ? app::Format::kJson
                    : value == "jsonl" ? app::Format::kJsonl
                    : value == "csv"   ? app::Format::kCsv
                                       : app::Format::kText;
  return {};
}

Status set_fail_on(Settings& s, Text value) {
  constexpr std::pair<std::string_view, bool app::FailOn::*> kReasons[] = {
      {"length", &app::FailOn::length},
      {"filter", &app::FailOn::filter},
      {"refusal", &app::FailOn::refusal},
      {"empty", &app::FailOn::empty},
      {"unpriced", &app::FailOn::unpriced}};
  app::FailOn chosen{false, false, false,
                     false, false, s.output.fail_on.other_model};
  for (const std::string& name : base::split(value, ',')) {
    if (value == "none") break;
    const auto* reason =
        std::find_if(std::begin(kReasons), std::end(kReasons),
                     [&](const auto& one) { return one.first == name; });
    if (reason == std::end(kReasons)) {
      return expected("length, filter, refusal, empty, unpriced, or none");
    }
    chosen.*reason->second = true;
  }
  s.output.fail_on = chosen;
  return {};
}

Status be_strict_of_models(Settings& s, Text) {
  s.output.fail_on.other_model = true;
  return {};
}

Status set_error_format(Settings& s, Text value) {
  s.messages.error_format =
      value == "json" ? app::Format::kJson : app::Format::kText;
  return {};
}

Status set_training_seed(Settings& s, Text value) {
  LLMROUTE_TRY(const int64_t seed, whole_number(value, 0, INT64_MAX));
  s.training_seed = static_cast<uint64_t>(seed);
  return {};
}

Status set_skip(Settings& s, Text value) {
  LLMROUTE_TRY(s.batch_input.skip, whole_number(value, 0, INT64_MAX));
  return {};
}

Status set_limit(Settings& s, Text value) {
  LLMROUTE_TRY(s.batch_input.limit, whole_number(value, 0, INT64_MAX));
  return {};
}

Status set_jobs(Settings& s, Text value) {
  LLMROUTE_TRY(const int64_t jobs, whole_number(value, 1, 65536));
  s.jobs = static_cast<int>(jobs);
  return {};
}

Status set_max_errors(Settings& s, Text value) {
  s.max_errors_percent = value.ends_with('%');
  if (s.max_errors_percent) value.remove_suffix(1);
  LLMROUTE_TRY(s.max_errors, number(value, 0, 1e15));
  return {};
}

Status set_threads(Settings& s, Text value) {
  LLMROUTE_TRY(const int64_t threads, whole_number(value, 1, 256));
  s.threads = static_cast<int>(threads);
  return {};
}

Status set_heads(Settings& s, Text value) { return set_list(s.heads, value); }

Status add_without(Settings& s, Text value) {
  s.without.emplace_back(value);
  return {};
}

Status set_bench_models(Settings& s, Text value) {
  return set_list(s.quality.models, value);
}

Status set_part(Settings& s, Text value) {
  s.quality.test_part = value == "test";
  return {};
}

Status add_fail_if(Settings& s, Text value) {
  LLMROUTE_TRY(app::FailIf fail_if, app::parse_fail_if(value));
  s.quality.fail_if.push_back(std::move(fail_if));
  return {};
}

Status set_target_quality(Settings& s, Text value) {
  LLMROUTE_TRY(s.quality.target_quality, number(value, 0.01, 1));
  return {};
}

Status set_folds(Settings& s, Text value) {
  LLMROUTE_TRY(const int64_t folds, whole_number(value, 2, 100));
  s.quality.folds = static_cast<uint32_t>(folds);
  return {};
}

}  // namespace llmroute::cli
