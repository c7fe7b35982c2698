// How models have behaved, by the ledger: for `models`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "app/options.h"
#include "base/environment.h"
#include "base/json_writer.h"
#include "core/config.h"
#include "core/money.h"

namespace llmroute::app {

struct ModelRecord {
  int64_t calls = 0, answered = 0;
  std::optional<double> p50, p90;  // seconds until an answer was complete
  std::string breaker = "closed";  // or "open", "half-open"
  int64_t left_alone_ms = 0;       // for how long still: open, or told to wait
  std::optional<std::string> last_error;
  std::optional<int64_t> last_error_time;  // ms since 1970
  core::Money spent;                       // known or likely, of all times
};

// By model; those that the ledger knows nothing of are missing.
std::map<std::string, ModelRecord> read_model_records(
    const core::Config& config, const LedgerOptions& options,
    const base::Environment& environment);

// An object, or null.
void write_record(base::JsonWriter& json, const ModelRecord* record);

}  // namespace llmroute::app
