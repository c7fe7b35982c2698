#include "app/experience.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "store/sessions.h"

namespace llmroute::app {
namespace {

using core::Breaker;
using store::StatisticsRow;

std::string seconds_text(int64_t ms) {
  return fmt::format("{} s", (ms + 999) / 1000);
}

// Empty: it did not.
std::string asked_to_wait(const StatisticsRow& row, int64_t now) {
  if (row.hold_until <= now || row.hold_until > now + kLongestHold.count()) {
    return {};
  }
  return "asked to wait " + seconds_text(row.hold_until - now);
}

// Why a model is not to be asked now; empty: it may be.
std::string why_held(const StatisticsRow& row, const Breaker& breaker,
                     int64_t now) {
  std::string why = asked_to_wait(row, now);
  if (!why.empty()) return why;
  if (breaker.state(breaker_time(now)) != Breaker::State::kOpen) return {};
  const auto until = std::chrono::duration_cast<std::chrono::milliseconds>(
      breaker.until().time_since_epoch());
  return fmt::format("kept failing ({}), left alone for {}",
                     row.last_error.value_or("?"),
                     seconds_text(until.count() - now));
}

// Seconds since the last call that teaches a speed, if it failed.
std::optional<int64_t> failed_ago(const StatisticsRow& row, int64_t now) {
  if (row.last_error_time != row.time) return std::nullopt;
  return std::max<int64_t>(0, now - row.time) / 1000;
}

// The same model at the same address under other names: one breaker for all.
void hold_twins(const core::Config& config, const StatisticsRow& row,
                const std::string& why,
                std::map<std::string, std::string>& held) {
  const core::Model* known = config.find_model(row.model);
  if (known == nullptr) return;
  for (const core::Model& model : config.models) {
    if (model.id != known->id) continue;
    const core::Provider* provider = config.find_provider(model.provider);
    if (provider != nullptr && provider->base_url == row.origin) {
      held.try_emplace(model.name, why);
    }
  }
}

void add_breaker(const core::Config& config, const StatisticsRow& row,
                 int64_t now, Known& known) {
  const auto breaker = Breaker::unpack(row.breaker, breaker_time(now));
  if (!breaker) return;
  known.breakers[row.model] = *breaker;
  if (breaker->state(breaker_time(now)) == Breaker::State::kHalfOpen) {
    known.half_open.insert(row.model);
  }
  const std::string why = why_held(row, *breaker, now);
  if (why.empty()) return;
  known.experience.held[row.model] = why;
  const std::string wait = asked_to_wait(row, now);
  if (wait.empty()) {
    return hold_twins(config, row, why, known.experience.held);
  }
  known.holds[row.model] = row.hold_until;
  const core::Provider& provider = *config.find_provider(row.provider);
  hold_key(config, provider, "its key was " + wait, known.experience.held);
  if (!provider.limits_whole_key()) return;
  for (const core::Model& model : config.models) {
    if (model.provider != provider.name) continue;
    int64_t& until = known.holds[model.name];
    until = std::max(until, row.hold_until);
  }
}

constexpr int64_t kFewestStarts = 50;  // of which a share says something
constexpr std::chrono::milliseconds kShortestPatience{2000};
constexpr std::chrono::milliseconds kPatience{10'000};  // with a stranger

void add_slow_start(const StatisticsRow& row, const learning::Speed& speed,
                    Known& known) {
  if (row.begun < kFewestStarts) return;
  const auto start = speed.first.quantile(learning::kNinetyFivePercent);
  if (start) known.slow_starts[row.model] = *start;
}

}  // namespace

std::chrono::milliseconds patience_with(const Known& known,
                                        const std::string& model) {
  const auto start = known.slow_starts.find(model);
  if (start == known.slow_starts.end()) return kPatience;
  constexpr double kMost = 1e6;  // seconds; a sum may be anything
  const auto ms = static_cast<int64_t>(std::min(start->second, kMost) * 1000);
  return std::max(kShortestPatience, std::chrono::milliseconds(ms));
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
  speed.whole = {row.log_weight, row.log_sum, row.log_squares};
  speed.first = {row.begin_weight, row.begin_sum, row.begin_squares};
  speed.last = {static_cast<double>(row.at_call),
                static_cast<double>(row.time) / 1000};
  return speed;
}

bool is_of(const core::Config& config, const StatisticsRow& row) {
  const core::Provider* provider = config.find_provider(row.provider);
  return provider != nullptr &&
         statistics_key(*provider, row.model).origin == row.origin;
}

void hold_key(const core::Config& config, const core::Provider& provider,
              const std::string& why,
              std::map<std::string, std::string>& held) {
  if (!provider.limits_whole_key()) return;
  for (const core::Model& model : config.models) {
    if (model.provider == provider.name) held.try_emplace(model.name, why);
  }
}

Known known_of(const core::Config& config,
               const std::vector<StatisticsRow>& rows, int64_t now) {
  Known known;
  learning::Moment moment{0, static_cast<double>(now) / 1000};
  for (const StatisticsRow& row : rows) {
    if (!store::is_count(row.calls)) continue;
    moment.calls += static_cast<double>(row.calls);
    known.state += static_cast<uint64_t>(row.calls);
  }
  known.experience.unseen = learning::unseen_share(moment.calls, rows.size());
  for (const StatisticsRow& row : rows) {
    if (!is_of(config, row)) continue;
    add_breaker(config, row, now, known);
    const learning::Speed speed = speed_of(row);
    const bool counted =
        store::is_count(row.calls) && store::is_count(row.answered);
    if (counted && row.calls > 0 && speed.sane()) {
      known.experience.paces[row.model] = {
          row.calls,
          speed.first_token(),
          speed.per_token(),
          speed.freshness(moment, rows.size()),
          std::max<int64_t>(0, row.calls - row.answered),
          failed_ago(row, now)};
      add_slow_start(row, speed, known);
    } else if (!counted ||
               (row.fast_weight != 0 && !(row.calls == 0 && speed.sane()))) {
      known.warnings.push_back(
          fmt::format("the ledger's statistics of {} make no sense and are "
                      "not used",
                      row.model));
    }
  }
  return known;
}

void add_cells(const std::vector<store::CellRow>& rows, Known& known) {
  core::Experience& experience = known.experience;
  for (const store::CellRow& row : rows) {
    const auto domain = core::domain_index(row.domain);
    if (!domain || row.level < 0 || row.level >= core::kLevels ||
        row.count < 0 || !row.verdicts.sane()) {
      known.warnings.push_back(fmt::format(
          "the ledger's verdicts on {} make no sense and are not used",
          row.model));
      continue;
    }
    experience.judged[row.model].push_back(
        {{*domain, row.level}, row.verdicts, row.count});
    experience.verdicts[*domain][static_cast<size_t>(row.level)] +=
        static_cast<double>(row.count);
    known.state += static_cast<uint64_t>(row.count);
  }
}

namespace {

// A prompt cache is kept for some minutes; providers say 5 to 60.
constexpr int64_t kCacheKept = 600'000;  // ms

void add_session(store::Database& database, const std::string& name,
                 int64_t now, Known& known) {
  const auto row = store::find_session(database, name);
  if (!row || !*row) return;
  const store::SessionRow& found = **row;
  const bool cached = found.time > now - kCacheKept;
  known.experience.session =
      core::Session{name, found.model, cached ? found.tokens : 0};
}

}  // namespace

Known read_known(const core::Config& config, store::Ledger& ledger,
                 const std::optional<std::string>& session) {
  const auto rows = store::read_statistics(ledger.database());
  if (!rows) return {};
  const int64_t now = wall_ms();
  Known known = known_of(config, *rows, now);
  const auto cells = store::read_cells(ledger.database());
  if (cells) add_cells(*cells, known);
  if (session) add_session(ledger.database(), *session, now, known);
  return known;
}

}  // namespace llmroute::app
