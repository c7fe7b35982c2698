#include "app/experience.h"

#include <doctest/doctest.h>

namespace llmroute::app {
namespace {

using std::chrono::milliseconds;

// A model that began to answer after so many seconds, so often.
Known known_after(int answers, double seconds) {
  core::Config config;
  core::Provider& provider = config.providers.emplace_back();
  provider.name = "p";
  provider.base_url = "http://x";
  learning::Speed speed;
  for (int i = 0; i < answers; ++i) {
    speed.add({seconds, 0, 0, {}, true}, {static_cast<double>(i), 1000});
  }
  store::StatisticsRow row;
  row.model = "m";
  row.provider = "p";
  row.origin = "http://x";
  row.calls = row.answered = row.begun = answers;
  row.time = 1'000'000;
  row.fast_weight = speed.fast.weight;
  row.slow_weight = speed.slow.weight;
  row.begin_weight = speed.first.weight;
  row.begin_sum = speed.first.sum;
  row.begin_squares = speed.first.squares;
  return known_of(config, {row}, row.time);
}

TEST_CASE("10 s, or what 95 of 100 answers take, of 50 and never under 2 s") {
  CHECK(patience_with(Known(), "m") == milliseconds(10'000));
  CHECK(patience_with(known_after(49, 5), "m") == milliseconds(10'000));
  const auto five = patience_with(known_after(50, 5), "m");
  CHECK(five.count() == doctest::Approx(5000).epsilon(0.01));
  CHECK(patience_with(known_after(50, 0.2), "m") == milliseconds(2000));
  CHECK(patience_with(known_after(50, 40), "m").count() ==
        doctest::Approx(40'000).epsilon(0.01));
}

}  // namespace
}  // namespace llmroute::app
