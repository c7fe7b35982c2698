#include "app/ledger_spill.h"

#include <fmt/format.h>

#include "app/experience.h"
#include "store/spill.h"

namespace llmroute::app {

using base::Result;
using base::Status;

bool is_unsafe(const Result<std::string>& path) {
  return !path && path.error().kind == base::ErrorKind::kNoPermission;
}

Status import_spilled(store::Ledger& ledger, const Messages& messages) {
  LLMROUTE_TRY(const size_t dropped, store::import_spilled(ledger));
  if (dropped > 0) {
    messages.warn(fmt::format(
        "ledger: {} lines of its spill file made no sense", dropped));
  }
  return {};
}

void warn_of_network(const store::Ledger& ledger, const Messages& messages) {
  if (!ledger.made_on_network()) return;
  messages.warn(
      "the ledger is on a network file system, where every call takes longer; "
      "LLMROUTE_LEDGER or --ledger can put it on a local disk");
}

void spill(const Result<std::string>& path, std::span<store::Recorded> rows,
           const Status& failed, std::string_view lost,
           const Messages& messages) {
  for (store::Recorded& one : rows) {
    if (one.decision.time == 0) one.decision.time = wall_ms();
  }
  const bool spilled = path && store::spill(*path, rows);
  if (failed) return;
  messages.warn(fmt::format(
      "{}; {}", failed.error().message,
      spilled ? fmt::format("kept in {}.spill for the next run", *path)
              : lost));
}

}  // namespace llmroute::app
