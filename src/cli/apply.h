// What an option does to the Settings: OptionRow::apply. The plain kinds are
// templates over a path of members that says where the value goes:
// turn_on<&Settings::output, &app::OutputOptions::stats>.
#pragma once

#include "cli/settings.h"
#include "cli/values.h"

namespace llmroute::cli {

using base::Status;
using Text = std::string_view;

template <auto kMember>
auto& at(Settings& s) {
  return s.*kMember;
}

template <auto kPart, auto kMember>
auto& at(Settings& s) {
  return s.*kPart.*kMember;
}

template <auto... kPath>
Status turn_on(Settings& s, Text) {
  at<kPath...>(s) = true;
  return {};
}

template <auto... kPath>
Status turn_off(Settings& s, Text) {
  at<kPath...>(s) = false;
  return {};
}

// A word that is among the option's choices.
template <auto... kPath>
Status text_into_plain(Settings& s, Text value) {
  at<kPath...>(s) = value;
  return {};
}

template <auto... kPath>
Status text_into(Settings& s, Text value) {
  return set_text(at<kPath...>(s), value);
}

template <auto... kPath>
Status added_to(Settings& s, Text value) {
  return add_text(at<kPath...>(s), value);
}

template <auto... kPath>
Status duration_into(Settings& s, Text value) {
  return set_duration(at<kPath...>(s), value);
}

template <auto... kPath>
Status usd_into(Settings& s, Text value) {
  return set_usd(at<kPath...>(s), value);
}

// A rate above zero.
template <auto... kPath>
Status set_rate(Settings& s, Text value) {
  LLMROUTE_TRY(at<kPath...>(s), number(value, 1e-3, 1e12));
  return {};
}

// One action only.
Status choose_action(Settings&, app::UsageAction);
template <app::UsageAction kAction>
Status take_action(Settings& s, Text) {
  return choose_action(s, kAction);
}

Status set_skip(Settings&, Text);
Status set_limit(Settings&, Text);
Status set_jobs(Settings&, Text);
Status set_max_errors(Settings&, Text);
Status set_prompt(Settings&, Text);
Status set_system(Settings&, Text);
Status set_system_file(Settings&, Text);
Status add_fallback(Settings&, Text);
Status clear_fallback(Settings&, Text);
Status set_seed(Settings&, Text);
Status set_max_cost(Settings&, Text);
Status set_ledger(Settings&, Text);
Status add_ledger(Settings&, Text);
Status no_ledger(Settings&, Text);
Status no_learn(Settings&, Text);
Status set_by(Settings&, Text);
Status set_since(Settings&, Text);
Status set_until(Settings&, Text);
Status set_purge(Settings&, Text);
Status set_session(Settings&, Text);
Status set_from_ledger(Settings&, Text);
Status set_seconds(Settings&, Text);
Status be_quiet(Settings&, Text);
Status be_verbose(Settings&, Text);
Status set_config(Settings&, Text);
Status set_key_fd(Settings&, Text);
Status set_no_config(Settings&, Text);
Status set_json(Settings&, Text);
Status set_model(Settings&, Text);
Status set_route(Settings&, Text);
Status set_temperature(Settings&, Text);
Status set_max_tokens(Settings&, Text);
Status set_retries(Settings&, Text);
Status add_option_pair(Settings&, Text);
Status add_tag(Settings&, Text);
Status set_color(Settings&, Text);
Status set_sanitize(Settings&, Text);
Status set_format(Settings&, Text);
Status set_error_format(Settings&, Text);
Status set_fail_on(Settings&, Text);
Status be_strict_of_models(Settings&, Text);
Status set_training_seed(Settings&, Text);
Status set_threads(Settings&, Text);
Status set_bench_models(Settings&, Text);
Status add_without(Settings&, Text);
Status set_heads(Settings&, Text);
Status set_part(Settings&, Text);
Status add_fail_if(Settings&, Text);
Status set_folds(Settings&, Text);
Status set_target_quality(Settings&, Text);

}  // namespace llmroute::cli
