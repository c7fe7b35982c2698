#include "app/ledger_place.h"

#include <sys/stat.h>

#include <chrono>

#include "config/paths.h"
#include "store/ledger_file.h"

namespace llmroute::app {

using base::Result;

std::optional<std::string> ledger_place(const LedgerOptions& options,
                                        const base::Environment& environment) {
  if (options.files.empty()) {
    return config::state_directory(environment) + "/ledger.db";
  }
  if (options.files.back() == "off") return std::nullopt;
  return options.files.back();
}

Result<store::Ledger> open_existing(const std::string& place,
                                    const store::DatabaseOptions& how) {
  LLMROUTE_TRY(const std::string path, store::readable_ledger(place));
  if (how.read_only) return store::Ledger::open(path, how);
  LLMROUTE_TRY(const std::string own, store::ledger_path(place));
  return store::Ledger::open(own, how);
}

Result<store::Ledger> existing_ledger(const LedgerOptions& options,
                                      const base::Environment& environment,
                                      const store::DatabaseOptions& how) {
  const auto place = ledger_place(options, environment);
  if (place) return open_existing(*place, how);
  return base::Error{base::ErrorKind::kUsage, "the ledger is off"};
}

std::optional<store::Ledger> open_at_decision(
    const LedgerOptions& options, const base::Environment& environment,
    bool to_write) {
  // A decision does not wait for others who write.
  constexpr std::chrono::milliseconds kAtDecision{100};
  const auto place = ledger_place(options, environment);
  struct stat info {};
  if (!place || ::stat(place->c_str(), &info) != 0) return std::nullopt;
  const auto path = store::ledger_path(*place);
  if (!path) return std::nullopt;
  auto ledger = store::Ledger::open(
      *path, {.read_only = !to_write, .busy_timeout = kAtDecision});
  if (!ledger) return std::nullopt;
  return std::move(*ledger);
}

}  // namespace llmroute::app
