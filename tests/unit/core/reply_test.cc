#include "core/reply.h"

#include <doctest/doctest.h>

namespace llmroute::core {
namespace {

Model priced(double input, double output) {
  Model model;
  model.price.input = per_token_from_usd_per_million(input);
  model.price.output = per_token_from_usd_per_million(output);
  return model;
}

}  // namespace

TEST_CASE("P3: cost is what one computes by hand") {
  Model model = priced(1.25, 10);
  model.price.cached_input = per_token_from_usd_per_million(0.125);
  Usage usage;
  usage.input = 1000;
  usage.output = 200;
  usage.cached_input = 400;
  // 600 * 1.25 + 400 * 0.125 + 200 * 10 = 750 + 50 + 2000 micro-dollars.
  CHECK(cost_of(model, usage) == Money{2'800'000'000});
}

TEST_CASE("P3: a missing count or price is unknown, never 0") {
  Usage usage;
  usage.input = 10;
  CHECK(!cost_of(priced(1, 1), usage));
  usage.output = 5;
  CHECK(cost_of(priced(1, 1), usage));
  CHECK(!cost_of(Model{}, usage));
}

TEST_CASE("what is free costs 0, also where nothing is counted") {
  CHECK(cost_of(priced(0, 0), Usage{}) == Money{});
  CHECK(!cost_of(priced(0, 1), Usage{}));
}

TEST_CASE("a price tier applies to the whole request") {
  Model model = priced(1, 1);
  Price dear;
  dear.input = per_token_from_usd_per_million(2);
  dear.output = per_token_from_usd_per_million(2);
  model.price_tiers.push_back({1000, dear});
  Usage usage;
  usage.input = 1000;
  usage.output = 0;
  CHECK(cost_of(model, usage) == Money{1000 * 1'000'000});
  usage.input = 1001;
  CHECK(cost_of(model, usage) == Money{1001 * 2'000'000});
}

}  // namespace llmroute::core
