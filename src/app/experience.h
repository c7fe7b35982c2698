// What the ledger knows of models when a decision is taken: one read, best
// effort. Without a ledger there is nothing to know, and nothing is opened.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "core/breaker.h"
#include "core/config.h"
#include "core/experience.h"
#include "learning/latency.h"
#include "store/cells.h"
#include "store/ledger.h"
#include "store/statistics.h"

namespace llmroute::app {

// A model that asks to wait longer is left alone for this long.
inline constexpr std::chrono::milliseconds kLongestHold{3'600'000};

struct Known {
  core::Experience experience;
  std::map<std::string, core::Breaker> breakers;  // by model
  std::set<std::string> half_open;                // models
  std::map<std::string, int64_t> holds;  // models that asked to wait: until, ms
  // Seconds within which 95 of 100 answers of a model begin, if that is known.
  std::map<std::string, double> slow_starts;
  uint64_t state = 0;  // changes with whatever is learned
  std::vector<std::string> warnings;
};

// How long a model may be silent before another is asked beside it.
std::chrono::milliseconds patience_with(const Known& known,
                                        const std::string& model);

// Wall time as the breakers of the ledger count it.
using base::wall_ms;
core::Breaker::Time breaker_time(int64_t wall_ms);

store::StatisticsKey statistics_key(const core::Provider& provider,
                                    const std::string& model);
learning::Speed speed_of(const store::StatisticsRow& row);

// Whether the row is of a provider of the config, at its present address.
bool is_of(const core::Config& config, const store::StatisticsRow& row);

// `now`: ms since 1970. Rows that make no sense are left out, with a warning.
Known known_of(const core::Config& config,
               const std::vector<store::StatisticsRow>& rows, int64_t now);

// One model of the provider is told to wait: if that is said to the whole key,
// nor are the others to be asked. Whoever is held already stays so.
void hold_key(const core::Config& config, const core::Provider& provider,
              const std::string& why, std::map<std::string, std::string>& held);

// Adds the verdicts. Rows that make no sense are left out, with a warning.
void add_cells(const std::vector<store::CellRow>& rows, Known& known);

// `session`: its name, or nothing.
Known read_known(const core::Config& config, store::Ledger& ledger,
                 const std::optional<std::string>& session);

}  // namespace llmroute::app
