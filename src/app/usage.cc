#include "app/usage.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "app/ceilings.h"
#include "app/ledger_place.h"
#include "app/ledger_spill.h"
#include "app/messages.h"
#include "app/output.h"
#include "app/terminal.h"
#include "app/usage_report.h"
#include "app/usage_upkeep.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/files.h"
#include "config/keys.h"
#include "config/load.h"
#include "store/account.h"
#include "store/ledger.h"

namespace llmroute::app {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using core::ExitStatus;
using store::Grouping;

// What a ledger is read by, once; other sums are made of these.
constexpr Grouping kFine[] = {Grouping::kDay, Grouping::kModel};

bool follows_from_fine(const std::vector<Grouping>& by) {
  return std::ranges::all_of(by, [](Grouping grouping) {
    return std::ranges::find(kFine, grouping) != std::end(kFine);
  });
}

// REQUIRES: follows_from_fine(by). With a row for each of `fine`.
std::vector<store::SpendRow> regrouped(const std::vector<store::SpendRow>& fine,
                                       const std::vector<Grouping>& by) {
  std::vector<store::SpendRow> rows;
  for (const store::SpendRow& row : fine) {
    store::SpendRow& made = rows.emplace_back();
    made.spend = row.spend;
    for (const Grouping grouping : by) {
      made.keys.push_back(row.keys[grouping == Grouping::kDay ? 0 : 1]);
    }
  }
  return rows;
}

// Adds rows to those with the same keys.
void add_rows(std::vector<store::SpendRow> found,
              std::vector<store::SpendRow>& rows) {
  std::map<std::vector<std::string>, size_t> places;
  for (const store::SpendRow& row : rows) {
    places.emplace(row.keys, places.size());
  }
  for (store::SpendRow& row : found) {
    const auto [place, is_new] = places.emplace(row.keys, rows.size());
    if (is_new) {
      rows.push_back(std::move(row));
    } else {
      store::add(rows[place->second].spend, row.spend);
    }
  }
}

// The tokens of calls whose price is not known are compared with nothing.
store::Spend comparable(store::Spend spend) {
  if (spend.counted == 0) {
    spend.input_tokens = spend.cached_tokens = 0;
    spend.cache_write_tokens = spend.output_tokens = 0;
  }
  return spend;
}

// Reads one ledger after the other into sums.
class Collector {
 public:
  Collector(const UsageOptions& options, UsageReport& report)
      : options_(options), report_(report) {}

  base::Status open(const std::vector<std::string>& files);
  base::Status collect(const core::Config& config);
  const std::vector<std::string>& models() const { return models_; }

 private:
  base::Status choose_days();
  base::Status add_ledger(store::Database& database);
  base::Status add_ceiling(const store::Ceiling& ceiling, std::string name);
  base::Status add_ceilings(const core::Config& config);
  base::Result<std::vector<store::SpendRow>> read(
      store::Database& database, const std::vector<Grouping>& by) const {
    return store::spending(database, by, report_.since, report_.until);
  }

  const UsageOptions& options_;
  UsageReport& report_;
  std::vector<store::Ledger> ledgers_;
  int64_t now_ = 0;
  std::vector<std::string> models_;  // that answered
};

base::Status Collector::open(const std::vector<std::string>& files) {
  std::set<std::pair<dev_t, ino_t>> seen;  // a file of two names counts once
  for (const std::string& file : files) {
    struct stat info {};
    if (::stat(file.c_str(), &info) == 0 &&
        !seen.emplace(info.st_dev, info.st_ino).second) {
      continue;
    }
    LLMROUTE_TRY(store::Ledger ledger,
                 open_existing(file, {.read_only = true}));
    warn_of_spilled(ledger, Messages(options_.messages));
    // All that is read is of one moment, whatever others write meanwhile.
    LLMROUTE_CHECK(ledger.database().execute("BEGIN"));
    ledgers_.push_back(std::move(ledger));
    report_.ledgers.push_back(file);
  }
  return {};
}

base::Status Collector::choose_days() {
  now_ = base::wall_ms();
  for (store::Ledger& ledger : ledgers_) {
    LLMROUTE_TRY(now_, store::ledger_time(ledger.database(), now_));
  }
  const auto today = *base::parse_day(store::day_of(now_));
  report_.until = base::format_day(
      options_.until ? *base::parse_since(*options_.until, today) : today);
  report_.since =
      options_.since
          ? base::format_day(*base::parse_since(*options_.since, today))
          : report_.until.substr(0, 7) + "-01";
  if (report_.since <= report_.until) return {};
  return Error{ErrorKind::kUsage, fmt::format("--since {} is after --until {}",
                                              report_.since, report_.until)};
}

base::Status Collector::add_ledger(store::Database& database) {
  LLMROUTE_TRY(const std::vector<store::SpendRow> fine,
               read(database, {std::begin(kFine), std::end(kFine)}));
  for (const store::SpendRow& row : fine) {
    store::add(report_.total, row.spend);
    store::add(report_.comparable, comparable(row.spend));
    if (row.spend.answered > 0) models_.push_back(row.keys[1]);
  }
  add_rows(regrouped(fine, {Grouping::kDay}), report_.days);
  if (follows_from_fine(report_.by)) {
    add_rows(regrouped(fine, report_.by), report_.rows);
  } else {
    LLMROUTE_TRY(std::vector<store::SpendRow> found,
                 read(database, report_.by));
    add_rows(std::move(found), report_.rows);
  }
  LLMROUTE_TRY(const store::HeldSums held, store::held(database));
  report_.held.calls += held.calls;
  report_.held.pico = store::saturating_add(report_.held.pico, held.pico);
  report_.held.dead_calls += held.dead_calls;
  report_.held.dead_pico =
      store::saturating_add(report_.held.dead_pico, held.dead_pico);
  return {};
}

base::Status Collector::add_ceiling(const store::Ceiling& ceiling,
                                    std::string name) {
  const bool day = ceiling.window == store::Window::kDay;
  CeilingState state{std::move(name),
                     day ? store::day_of(now_) : store::month_of(now_),
                     ceiling.limit,
                     {},
                     {}};
  const std::string scope =
      store::scope_name(ceiling.window, ceiling.tag, now_, "");
  for (store::Ledger& ledger : ledgers_) {
    LLMROUTE_TRY(const store::ScopeSums sums,
                 store::scope_sums(ledger.database(), scope));
    state.settled += core::Money{sums.settled_pico};
    state.held += core::Money{sums.held_pico};
  }
  report_.ceilings.push_back(std::move(state));
  return {};
}

base::Status Collector::add_ceilings(const core::Config& config) {
  const auto window = [](const store::Ceiling& ceiling) {
    return ceiling.window == store::Window::kDay ? "per_day" : "per_month";
  };
  for (const store::Ceiling& ceiling : shared_ceilings(config, {})) {
    LLMROUTE_CHECK(add_ceiling(ceiling, window(ceiling)));
  }
  for (const core::Budget& budget : config.budgets) {
    for (const store::Ceiling& ceiling : ceilings_of(budget)) {
      LLMROUTE_CHECK(add_ceiling(
          ceiling, fmt::format("budgets.{}.{}", budget.name, window(ceiling))));
    }
  }
  return {};
}

base::Status Collector::collect(const core::Config& config) {
  LLMROUTE_CHECK(choose_days());
  for (store::Ledger& ledger : ledgers_) {
    LLMROUTE_CHECK(add_ledger(ledger.database()));
  }
  const auto by_keys = [](const auto& a, const auto& b) {
    return a.keys < b.keys;
  };
  std::ranges::sort(report_.rows, by_keys);
  std::ranges::sort(report_.days, by_keys);
  return add_ceilings(config);
}

// Models that answered, and the person's own that could have. What is built in
// and never was asked is nobody's alternative.
std::vector<std::string> alternatives(std::vector<std::string> called,
                                      const core::Config& config,
                                      const base::Environment& environment) {
  for (const core::Model& model : config.models) {
    if (model.origin == "built-in") continue;
    if (config::key_present(*config.find_provider(model.provider),
                            environment)) {
      called.push_back(model.name);
    }
  }
  std::sort(called.begin(), called.end());
  called.erase(std::unique(called.begin(), called.end()), called.end());
  return called;
}

std::string document(const UsageReport& report, Format format) {
  switch (format) {
    case Format::kText:
      break;
    case Format::kJson:
    case Format::kJsonl:
      return usage_json(report);
    case Format::kCsv:
      return usage_csv(report);
  }
  return usage_text(report, stdout_is_terminal());
}

// The ledgers that are meant; the usual one only if it is there.
Result<std::vector<std::string>> ledgers_meant(
    const UsageOptions& options, const base::Environment& environment) {
  const std::vector<std::string>& named = options.ledger.files;
  if (named.size() > 1 &&
      std::find(named.begin(), named.end(), "off") == named.end()) {
    return named;
  }
  const auto place = ledger_place(options.ledger, environment);
  if (!place) {
    return Error{ErrorKind::kUsage, "the ledger is off (LLMROUTE_LEDGER)"};
  }
  if (named.empty() && !base::file_exists(*place)) {
    return std::vector<std::string>();
  }
  return std::vector<std::string>{*place};
}

}  // namespace

Result<ExitStatus> usage(const UsageOptions& options,
                         const base::Environment& environment) {
  LLMROUTE_TRY(const std::vector<std::string> files,
               ledgers_meant(options, environment));
  if (options.action != UsageAction::kReport) {
    return usage_upkeep(options, files);
  }
  LLMROUTE_TRY(const core::Config config,
               config::load(options.config, environment));
  UsageReport report;
  report.by = options.by;
  if (report.by.empty()) report.by = {Grouping::kModel};
  Collector collector(options, report);
  LLMROUTE_CHECK(collector.open(files));
  LLMROUTE_CHECK(collector.collect(config));
  report.baselines =
      baselines_of(report.comparable, config,
                   alternatives(collector.models(), config, environment));
  LLMROUTE_CHECK(print_text(document(report, options.format)));
  if (files.empty()) {
    Messages(options.messages).warn("nothing has been recorded yet");
  }
  return ExitStatus::kOk;
}

}  // namespace llmroute::app
