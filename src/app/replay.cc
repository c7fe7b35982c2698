#include "app/replay.h"

#include <fmt/format.h>

#include "app/kept_inputs.h"
#include "app/ledger_place.h"
#include "app/ledger_spill.h"
#include "app/output.h"
#include "app/retake.h"
#include "app/what_if.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/json_writer.h"
#include "base/terminal_text.h"
#include "config/load.h"
#include "store/account.h"
#include "store/scopes.h"
#include "store/taken.h"

namespace llmroute::app {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using core::ExitStatus;
using store::TakenDecision;

Result<TakenDecision> find(store::Ledger& ledger, const std::string& id) {
  TakenDecision found;
  LLMROUTE_CHECK(store::each_taken(ledger.database(), id, id,
                                   [&](const TakenDecision& taken) {
                                     found = taken;
                                     return base::Status();
                                   }));
  return found;
}

// --- as it was ---------------------------------------------------------------

struct Again {
  std::string was, is;  // outcomes, as JSON
  bool same = false;    // byte for byte
  SharedInputs shared;
};

Result<Again> take_again(const TakenDecision& taken, KeptInputsReader& kept) {
  const store::DecisionRow& row = taken.row;
  if (!row.shared_inputs || !row.inputs || !row.outcome) {
    return Error{ErrorKind::kNoInput,
                 "what it takes to decide again was not recorded"};
  }
  LLMROUTE_TRY(KeptInputs made_of, kept.find(*row.shared_inputs));
  const core::Config& config = *made_of.config;
  LLMROUTE_TRY(const Inputs inputs,
               unpack_inputs(row.inputs->bytes, config.rules));
  LLMROUTE_TRY(const routing::Router router, routing::Router::create(config));
  LLMROUTE_TRY(const core::Decision decision,
               decide_again(inputs, made_of.shared, config, router));
  Again again;
  LLMROUTE_TRY(again.was, outcome_json(row.outcome->bytes));
  const std::string packed = pack_outcome(decision);
  LLMROUTE_TRY(again.is, outcome_json(packed));
  again.same = row.outcome->bytes == packed;
  again.shared = std::move(made_of.shared);
  return again;
}

std::string again_json(const TakenDecision& taken, const Again& again) {
  base::JsonWriter json;
  json.begin_object().field("schema", "llmroute.replay/1");
  json.field("id", taken.row.id).field("same", again.same);
  json.field("config", again.shared.config);
  json.field("router_model", again.shared.router_model);
  json.key("was").raw(again.was).key("is").raw(again.is).end_object();
  return json.take() + "\n";
}

std::string again_text(const TakenDecision& taken, const Again& again) {
  const std::string made_of = fmt::format(
      "config {}, router model {}\n", again.shared.config.substr(0, 12),
      again.shared.router_model.substr(0, 12));
  if (again.same) {
    return fmt::format("{}: the same, byte for byte: {}\n{}{}\n", taken.row.id,
                       base::visible_line(taken.row.model), made_of, again.is);
  }
  return fmt::format("{}: not the same\n{}was {}\nis  {}\n", taken.row.id,
                     made_of, again.was, again.is);
}

Result<ExitStatus> as_it_was(const ReplayOptions& options,
                             store::Ledger& ledger, const std::string& id) {
  LLMROUTE_TRY(const TakenDecision taken, find(ledger, id));
  KeptInputsReader kept(ledger);
  const Result<Again> again = take_again(taken, kept);
  if (!again) {
    return base::with_context("decision " + id, again.error());
  }
  LLMROUTE_CHECK(print_text(options.format == Format::kJson
                                ? again_json(taken, *again)
                                : again_text(taken, *again)));
  if (again->same) return ExitStatus::kOk;
  return Error{ErrorKind::kNegative,
               fmt::format("decision {} comes out otherwise", id)};
}

// --- under another configuration ---------------------------------------------

// The beginning of the ids of that day.
Result<std::string> first_id(const ReplayOptions& options,
                             store::Ledger& ledger) {
  if (!options.since) return std::string();
  LLMROUTE_TRY(const int64_t time,
               store::ledger_time(ledger.database(), base::wall_ms()));
  const auto today = *base::parse_day(store::day_of(time));
  const std::chrono::milliseconds since =
      base::parse_since(*options.since, today)->time_since_epoch();
  return base::make_ulid(base::moment_of(since.count())).substr(0, 10);
}

Result<ExitStatus> with_another(const ReplayOptions& options,
                                const base::Environment& environment,
                                store::Ledger& ledger, std::string first,
                                const std::string& last) {
  LLMROUTE_TRY(const core::Config other,
               config::load({options.with, false}, environment));
  LLMROUTE_TRY(const routing::Router router, routing::Router::create(other));
  WhatIf result;
  result.with = *options.with;
  KeptInputsReader kept(ledger);
  WhatIfCollector collector(other, router, kept, result);
  LLMROUTE_CHECK(store::each_taken(ledger.database(), first, last,
                                   [&](const TakenDecision& taken) {
                                     collector.take(taken);
                                     return base::Status();
                                   }));
  LLMROUTE_CHECK(print_text(options.format == Format::kJson
                                ? what_if_json(result)
                                : what_if_text(result)));
  return ExitStatus::kOk;
}

}  // namespace

Result<ExitStatus> replay(const ReplayOptions& options,
                          const base::Environment& environment) {
  LLMROUTE_TRY(
      store::Ledger ledger,
      existing_ledger(options.ledger, environment, {.read_only = true}));
  warn_of_spilled(ledger, Messages(options.messages));
  std::string id;
  if (options.decision) {
    LLMROUTE_TRY(id, ledger.find_decision(*options.decision));
  }
  if (!options.with) return as_it_was(options, ledger, id);
  LLMROUTE_TRY(std::string first, first_id(options, ledger));
  constexpr char kAfterAll[] = "~";  // no id begins so high
  return with_another(options, environment, ledger, id.empty() ? first : id,
                      id.empty() ? kAfterAll : id);
}

}  // namespace llmroute::app
