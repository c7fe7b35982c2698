#include "core/money.h"

#include <doctest/doctest.h>

namespace llmroute::core {

TEST_CASE("dollars are exact decimals") {
  struct Case {
    const char* text;
    int64_t pico;  // -1: refused
  };
  const Case cases[] = {{"0", 0},
                        {"0.05", 50'000'000'000},
                        {".5", 500'000'000'000},
                        {"12", 12'000'000'000'000},
                        {"0.000000000001", 1},
                        {"0.0000000000001", -1},
                        {"", -1},
                        {".", -1},
                        {"-1", -1},
                        {"1e3", -1},
                        {"$1", -1},
                        {"99999999", -1}};
  for (const Case& c : cases) {
    INFO(c.text);
    const auto money = parse_usd(c.text);
    CHECK((money ? money->pico : -1) == c.pico);
  }
}

TEST_CASE("a price of 0.000001 USD per million tokens is 1 per token") {
  CHECK(per_token_from_usd_per_million(0.000001)->pico == 1);
  CHECK(per_token_from_usd_per_million(0.05)->pico == 50'000);
  CHECK(per_token_from_usd_per_million(0.003625)->pico == 3'625);
  CHECK(!per_token_from_usd_per_million(-1));
}

TEST_CASE("money prints as it reads") {
  for (const char* text : {"0", "0.05", "12", "0.000179", "1.5"}) {
    CHECK(format_usd(*parse_usd(text)) == text);
  }
  CHECK(display_usd(*parse_usd("0.0121")) == "$0.0121");
  CHECK(display_usd(*parse_usd("0.05")) == "$0.0500");
  CHECK(display_usd(*parse_usd("1.254")) == "$1.25");
  CHECK(display_known_usd(*parse_usd("1.25"), 0, 3) == "$1.25");
  CHECK(display_known_usd(*parse_usd("1.25"), 1, 3) == "$1.25 + ?");
  CHECK(display_known_usd(Money{}, 3, 3) == "?");
  CHECK(display_known_usd(Money{}, 0, 0) == "$0");
  CHECK(display_usd(0.999) == "$1.00");
  CHECK(display_usd(-0.0314) == "-$0.0314");
  CHECK(display_usd(0.0) == "$0");
}

TEST_CASE("sums saturate instead of overflowing") {
  constexpr Money kLeast{INT64_MIN};
  CHECK((Money::max() + Money{1}) == Money::max());
  CHECK((kLeast + Money{-1}) == kLeast);
  CHECK((Money::max() - Money{-1}) == Money::max());
  CHECK((kLeast - Money{1}) == kLeast);
  CHECK((Money{} - kLeast) == Money::max());
  CHECK((Money{5} - Money{7}) == Money{-2});
  Money sum{INT64_MAX - 1};
  CHECK((sum += Money{2}) == Money::max());
  CHECK((sum -= Money{2}) == Money{INT64_MAX - 2});
  sum = Money{INT64_MIN + 1};
  CHECK((sum -= Money{2}) == kLeast);
  CHECK((Money{INT64_MAX / 2} * 3) == Money::max());
}

}  // namespace llmroute::core
