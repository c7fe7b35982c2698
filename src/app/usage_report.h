// What `usage` found, before it is written in a form.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/money.h"
#include "store/spend.h"

namespace llmroute::app {

// The same calls, had they all gone to one model.
struct Baseline {
  std::string name;          // "strongest", "cheapest" or a model's
  bool constant = false;     // a model's
  core::Money cost;          // there
  core::Money spent;         // what was paid instead, failures included
  int64_t compared = 0;      // answered calls
  int64_t not_compared = 0;  // whose tokens or prices there are not known

  core::Money saved() const { return cost - spent; }
};

struct CeilingState {
  std::string name;    // "per_day", "budgets.search.per_day"
  std::string window;  // "2026-11-28", "2026-11"
  core::Money limit, settled, held;

  core::Money left() const { return limit - settled - held; }
};

struct UsageReport {
  std::vector<std::string> ledgers;  // files
  std::string since, until;          // days, both included
  std::vector<store::Grouping> by;
  std::vector<store::SpendRow> rows;
  store::Spend total;
  store::Spend comparable;  // total without the tokens that have no price
  store::HeldSums held;     // now, whatever the days are
  std::vector<store::SpendRow> days;
  std::vector<Baseline> baselines;  // dearest first
  std::vector<CeilingState> ceilings;
};

// What the answered calls would have cost elsewhere; each model of `config`
// that `wanted` names, at its price for short inputs.
std::vector<Baseline> baselines_of(const store::Spend& total,
                                   const core::Config& config,
                                   const std::vector<std::string>& wanted);

std::string usage_text(const UsageReport& report, bool chart);
std::string usage_json(const UsageReport& report);
// Cells that a spreadsheet would take for a formula are text: after a quote.
std::string usage_csv(const UsageReport& report);

}  // namespace llmroute::app
