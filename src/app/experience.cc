#include "app/experience.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "app/ledger_book.h"
#include "base/clock.h"
#include "base/text.h"
#include "store/ledger_file.h"

namespace llmroute::app {
namespace {

using core::Breaker;
using store::StatisticsRow;

// A decision does not wait for others who write.
constexpr store::DatabaseOptions kAtDecision = {
    .read_only = true, .busy_timeout = std::chrono::milliseconds(100)};

constexpr int64_t kLongestHold = 3'600'000;  // ms

std::string seconds_text(int64_t ms) {
  return fmt::format("{} s", (ms + 999) / 1000);
}

// Why a model is not to be asked now; empty: it may be.
std::string why_held(const StatisticsRow& row, const Breaker& breaker,
                     int64_t now) {
  if (row.hold_until > now && row.hold_until <= now + kLongestHold) {
    return "asked to wait " + seconds_text(row.hold_until - now);
  }
  if (breaker.state(breaker_time(now)) != Breaker::State::kOpen) return {};
  const auto until = std::chrono::duration_cast<std::chrono::milliseconds>(
      breaker.until().time_since_epoch());
  return fmt::format("kept failing ({}), left alone for {}",
                     row.last_error.value_or("?"),
                     seconds_text(until.count() - now));
}

void add_breaker(const StatisticsRow& row, int64_t now, Known& known) {
  const auto breaker = Breaker::unpack(row.breaker, breaker_time(now));
  if (!breaker) return;
  known.breakers[row.model] = *breaker;
  if (breaker->state(breaker_time(now)) == Breaker::State::kHalfOpen) {
    known.half_open.insert(row.model);
  }
  std::string why = why_held(row, *breaker, now);
  if (!why.empty()) known.experience.held[row.model] = std::move(why);
}

bool is_of(const core::Config& config, const StatisticsRow& row) {
  const core::Provider* provider = config.find_provider(row.provider);
  return provider != nullptr &&
         statistics_key(*provider, row.model).origin == row.origin;
}

}  // namespace

int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             base::SystemClock().wall().time_since_epoch())
      .count();
}

Breaker::Time breaker_time(int64_t wall_ms) {
  return Breaker::Time(std::chrono::milliseconds(wall_ms));
}

store::StatisticsKey statistics_key(const core::Provider& provider,
                                    const std::string& model) {
  return {model, provider.name,
          provider.base_url.empty() ? base::join(provider.command, " ")
                                    : provider.base_url};
}

learning::Speed speed_of(const StatisticsRow& row) {
  learning::Speed speed;
  speed.fast = {row.fast_weight, row.fast_first, row.fast_tokens,
                row.fast_seconds};
  speed.slow = {row.slow_weight, row.slow_first, row.slow_tokens,
                row.slow_seconds};
  speed.log_weight = row.log_weight;
  speed.log_sum = row.log_sum;
  speed.log_squares = row.log_squares;
  speed.last = {static_cast<double>(row.at_call),
                static_cast<double>(row.time) / 1000};
  return speed;
}

Known known_of(const core::Config& config,
               const std::vector<StatisticsRow>& rows, int64_t now) {
  Known known;
  learning::Moment moment{0, static_cast<double>(now) / 1000};
  for (const StatisticsRow& row : rows) {
    moment.calls += static_cast<double>(std::max<int64_t>(0, row.calls));
  }
  known.experience.unseen = learning::unseen_share(moment.calls, rows.size());
  for (const StatisticsRow& row : rows) {
    if (!is_of(config, row)) continue;
    add_breaker(row, now, known);
    const learning::Speed speed = speed_of(row);
    if (row.calls > 0 && speed.sane()) {
      known.experience.paces[row.model] = {
          row.calls, speed.first_token(), speed.per_token(),
          speed.freshness(moment, rows.size())};
    } else if (row.calls != 0 || row.fast_weight != 0) {
      known.warnings.push_back(
          fmt::format("the ledger's statistics of {} make no sense and are "
                      "not used",
                      row.model));
    }
  }
  return known;
}

Known read_known(const core::Config& config, const LedgerOptions& options,
                 const base::Environment& environment) {
  const auto place = ledger_place(options, environment);
  struct stat info {};
  if (!place || ::stat(place->c_str(), &info) != 0) return {};
  const auto path = store::ledger_path(*place);
  if (!path) return {};
  auto ledger = store::Ledger::open(*path, kAtDecision);
  if (!ledger) return {};
  const auto rows = store::read_statistics(ledger->database());
  if (!rows) return {};
  return known_of(config, *rows, wall_ms());
}

}  // namespace llmroute::app
