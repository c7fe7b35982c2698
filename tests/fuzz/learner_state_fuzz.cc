// What was learned, as a ledger keeps it: whatever the numbers are, what is
// made of them makes sense, and what is learned next heals them. Lines: a
// breaker's text, a row of statistics, a cell; the words of a row in the order
// below.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "app/experience.h"
#include "base/text.h"
#include "core/breaker.h"
#include "store/owner.h"

namespace {

namespace app = llmroute::app;
namespace base = llmroute::base;
namespace core = llmroute::core;
namespace learning = llmroute::learning;
namespace store = llmroute::store;

constexpr int64_t kNow = 1'795'867'200'000;  // ms

void must(bool holds) {
  if (!holds) std::abort();
}

class Words {
 public:
  explicit Words(const std::string& line) : words_(base::split(line, ' ')) {}

  std::string text() { return at_ < words_.size() ? words_[at_++] : ""; }
  double real() {
    const std::string word = text();
    double value = 0;
    std::from_chars(word.data(), word.data() + word.size(), value);
    return value;
  }
  int64_t integer() {
    const std::string word = text();
    int64_t value = 0;
    std::from_chars(word.data(), word.data() + word.size(), value);
    return value;
  }

 private:
  std::vector<std::string> words_;
  size_t at_ = 0;
};

void check_breaker(const std::string& text) {
  using core::Breaker;
  const Breaker::Time now = app::breaker_time(kNow);
  const auto breaker = Breaker::unpack(text, now);
  if (!breaker) return;
  const auto again = Breaker::unpack(breaker->pack(), now);
  must(again && again->pack() == breaker->pack());
  if (breaker->state(now) == Breaker::State::kOpen) {
    must(breaker->until() <= now + std::chrono::seconds(360));
  }
  for (Breaker it = *breaker; it.state(now) == Breaker::State::kClosed;) {
    if (it.fail(now, true, 0.5)) break;  // it opens some time
  }
  Breaker healed = *breaker;
  healed.succeed(now, true);
  must(healed.state(now) == Breaker::State::kClosed);
}

store::StatisticsRow statistics(const std::string& breaker, Words words) {
  store::StatisticsRow row;
  row.model = "m";
  row.provider = "p";
  row.origin = "http://x";
  row.breaker = breaker;
  for (int64_t* value : {&row.calls, &row.answered, &row.time, &row.at_call,
                         &row.probe_until, &row.hold_until, &row.begun}) {
    *value = words.integer();
  }
  for (double* value :
       {&row.fast_weight, &row.fast_first, &row.fast_tokens, &row.fast_seconds,
        &row.slow_weight, &row.slow_first, &row.slow_tokens, &row.slow_seconds,
        &row.log_weight, &row.log_sum, &row.log_squares, &row.begin_weight,
        &row.begin_sum, &row.begin_squares}) {
    *value = words.real();
  }
  return row;
}

bool is_share(double value) { return value >= 0 && value <= 1; }

void check_speed(const store::StatisticsRow& row) {
  learning::Speed speed = app::speed_of(row);
  speed.add({0.5, 10, 0.2, 0.7, true}, {100, static_cast<double>(kNow) / 1000});
  must(speed.sane());
  must(std::isfinite(speed.first_token()) && speed.first_token() >= 0);
  for (const auto& logs : {speed.whole, speed.first}) {
    if (const auto most = logs.quantile(learning::kNinetyFivePercent)) {
      must(*most >= 0);
    }
  }
}

void check_known(const app::Known& known) {
  must(is_share(known.experience.unseen));
  for (const auto& [model, pace] : known.experience.paces) {
    must(std::isfinite(pace.first_token) && pace.first_token >= 0);
    must(!pace.per_token ||
         (std::isfinite(*pace.per_token) && *pace.per_token >= 0));
    must(is_share(pace.freshness));
  }
  for (const auto& [model, seconds] : known.slow_starts) {
    must(app::patience_with(known, model).count() >= 2000);
  }
  for (const auto& [model, cells] : known.experience.judged) {
    for (const core::Judged& judged : cells) {
      const size_t level = static_cast<size_t>(judged.cell.level);
      const double all = known.experience.verdicts[judged.cell.domain][level];
      must(is_share(judged.verdicts.mean(0.5, all)));
    }
  }
}

store::CellRow cell(Words words) {
  store::CellRow row;
  row.model = "m";
  row.domain = words.text();
  row.level = static_cast<int>(std::clamp<int64_t>(words.integer(), -9, 9));
  row.count = words.integer();
  row.verdicts = {words.real(), words.real(), words.real()};
  return row;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> lines = base::split(text, '\n');
  lines.resize(std::max<size_t>(lines.size(), 3));
  check_breaker(lines[0]);
  (void)store::may_be_alive(lines[0]);
  core::Config config;
  config.providers.emplace_back().name = "p";
  config.providers[0].base_url = "http://x";
  const store::StatisticsRow row = statistics(lines[0], Words(lines[1]));
  check_speed(row);
  app::Known known = app::known_of(config, {row, row, row}, kNow);
  store::CellRow judged = cell(Words(lines[2]));
  app::add_cells({judged, judged}, known);
  check_known(known);
  judged.verdicts.add(1, 10);
  must(judged.verdicts.sane());
  return 0;
}
