// Everything options and environment can set, before it is handed to a command.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/options.h"

namespace llmroute::cli {

struct Settings {
  app::ConfigOptions config;
  app::InputOptions input;
  app::RoutingOptions routing;
  app::RequestOptions request;
  app::LimitOptions limits;
  app::OutputOptions output;
  app::LedgerOptions ledger;
  app::MessageOptions messages;

  app::BatchInputOptions batch_input;
  app::BatchOutputOptions batch_output;
  int jobs = 8;
  std::optional<double> requests_per_minute, tokens_per_minute;
  std::optional<double> max_errors;
  bool max_errors_percent = false;
  bool strict = false, validate = false, dry_run = false;
  std::optional<std::string> split, collect;

  std::optional<std::string> why_not, diff;
  bool jsonl = false;
  std::vector<std::string> expect;
  bool no_timing = false;
  bool all = false;
  bool origin = false;
  bool force = false;
  double seconds = 1;
  std::optional<std::string> speed;
  app::QualityOptions quality;
  std::optional<std::string> card, init;
  std::vector<std::string> heads, without;
  bool from_ledger = false;
  uint64_t training_seed = 1;
  int threads = 1;

  std::vector<store::Grouping> by;
  std::optional<std::string> since, until, with;
  app::UsageAction usage_action = app::UsageAction::kReport;
  std::string purge_before;
};

}  // namespace llmroute::cli
