#include "app/ledger_spill.h"

#include <fmt/format.h>

#include "app/experience.h"
#include "store/account.h"
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

void warn_of_spilled(store::Ledger& ledger, const Messages& messages) {
  const std::string& path = ledger.database().path();
  if (store::spilled_bytes(path) == 0) return;
  messages.warn(
      fmt::format("{}.spill holds runs that are not in the ledger "
                  "yet; the next run records them",
                  path));
}

void warn_of_network(const store::Ledger& ledger, const Messages& messages) {
  if (!ledger.made_on_network()) return;
  messages.warn(
      "the ledger is on a network file system, where every call takes longer; "
      "LLMROUTE_LEDGER or --ledger can put it on a local disk");
}

void warn_of_clock(store::Ledger& ledger, const Messages& messages) {
  constexpr int64_t kDay = 86'400'000;
  const int64_t now = wall_ms();
  const auto newest = store::ledger_time(ledger.database(), now);
  if (!newest || *newest - now < kDay) return;
  messages.warn(fmt::format(
      "the ledger's newest entry is {} days ahead of this clock; its days and "
      "months, and the ceilings on them, go by that entry until the clock is "
      "there. If it was made by a wrong clock, begin a new ledger "
      "(LLMROUTE_LEDGER) and keep this one for `usage --ledger`",
      (*newest - now) / kDay));
}

Status spill(const Result<std::string>& path, std::span<store::Recorded> rows,
             const Status& written, std::string_view lost) {
  for (store::Recorded& one : rows) {
    if (one.decision.time == 0) one.decision.time = wall_ms();
  }
  const bool spilled = path && store::spill(*path, rows);
  if (written) return {};
  return base::Error{
      base::ErrorKind::kIo,
      fmt::format("{}; {}", written.error().message,
                  spilled
                      ? fmt::format("kept in {}.spill for the next run", *path)
                      : lost)};
}

base::Error not_strict(bool off, const Status& opened) {
  if (off) {
    return {base::ErrorKind::kUsage,
            "--strict-ledger needs the ledger, which is off; nothing was sent"};
  }
  return {base::ErrorKind::kIo,
          "nothing was sent (--strict-ledger): " + opened.error().message};
}

}  // namespace llmroute::app
