#include "app/usage_upkeep.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "app/ledger_place.h"
#include "app/output.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/text.h"
#include "core/money.h"
#include "store/account.h"
#include "store/ledger.h"
#include "store/upkeep.h"

namespace llmroute::app {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using core::ExitStatus;

Result<ExitStatus> check(store::Ledger& ledger) {
  LLMROUTE_TRY(const std::vector<std::string> wrong, store::recount(ledger));
  if (!wrong.empty()) {
    return Error{ErrorKind::kNegative,
                 fmt::format("the ledger's counters were wrong and have been "
                             "corrected: {}",
                             base::join(wrong, ", "))};
  }
  LLMROUTE_TRY(const auto since,
               ledger.database().text(
                   "SELECT value FROM meta WHERE name='whole_since'"));
  LLMROUTE_CHECK(
      print_text("the ledger is whole and its counters are right" +
                 (since ? ", as far as they can be checked: decisions before " +
                              *since + " are no longer there"
                        : std::string()) +
                 "\n"));
  return ExitStatus::kOk;
}

Result<ExitStatus> release(store::Ledger& ledger) {
  LLMROUTE_TRY(const store::Released released, store::release_orphans(ledger));
  LLMROUTE_CHECK(
      print_text(fmt::format("released {} of {} calls whose process died\n",
                             core::display_usd(core::Money{released.pico}),
                             base::with_thousands(released.calls))));
  return ExitStatus::kOk;
}

Result<ExitStatus> purge(store::Ledger& ledger, const std::string& before) {
  const auto day = *base::parse_day(before);
  const std::chrono::milliseconds time = day.time_since_epoch();
  constexpr int64_t kDay = 86'400'000;
  LLMROUTE_TRY(const int64_t now,
               store::ledger_time(ledger.database(), base::wall_ms()));
  const int64_t tomorrow = (now / kDay + 1) * kDay;  // what is still to come
  LLMROUTE_TRY(const int64_t removed,
               store::purge(ledger, std::min<int64_t>(time.count(), tomorrow)));
  LLMROUTE_CHECK(
      print_text(fmt::format("removed {} decisions made before {}\n",
                             base::with_thousands(removed), before)));
  return ExitStatus::kOk;
}

}  // namespace

Result<ExitStatus> usage_upkeep(const UsageOptions& options,
                                const std::vector<std::string>& files) {
  if (!options.by.empty() || options.format != Format::kText) {
    return Error{ErrorKind::kUsage,
                 "--by, --json and --format are for reports, not for changes "
                 "of the ledger"};
  }
  if (files.size() != 1) {
    return Error{
        files.empty() ? ErrorKind::kNoInput : ErrorKind::kUsage,
        files.empty() ? "there is no ledger yet" : "name one ledger to change"};
  }
  LLMROUTE_TRY(
      store::Ledger ledger,
      open_existing(files[0], {.durability = store::Durability::kFull,
                               .busy_timeout = std::chrono::seconds(30)}));
  switch (options.action) {
    case UsageAction::kCheck:
      return check(ledger);
    case UsageAction::kReleaseOrphans:
      return release(ledger);
    case UsageAction::kPurge:
      return purge(ledger, options.purge_before);
    case UsageAction::kReport:
      break;
  }
  return ExitStatus::kSoftware;
}

}  // namespace llmroute::app
