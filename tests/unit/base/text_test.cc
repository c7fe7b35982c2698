#include "base/text.h"

#include <doctest/doctest.h>

#include <chrono>

namespace llmroute::base {

TEST_CASE("durations take a unit, and a bare number is seconds") {
  struct Case {
    const char* text;
    int64_t ms;  // -1: refused
  };
  const Case cases[] = {{"30s", 30'000},   {"2m", 120'000}, {"250ms", 250},
                        {"1h", 3'600'000}, {"1.5", 1500},   {"0", 0},
                        {"", -1},          {"s", -1},       {"-1s", -1},
                        {"1d", -1},        {"nan", -1},     {"1e9h", -1},
                        {"5 s", -1},       {"9999h", -1}};
  for (const Case& c : cases) {
    INFO(c.text);
    const auto parsed = parse_duration(c.text);
    CHECK((parsed ? parsed->count() : -1) == c.ms);
  }
}

TEST_CASE("numbers are whole strings in the C locale") {
  CHECK(parse_double("0.5") == 0.5);
  CHECK(parse_double("1e3") == 1000);
  for (const char* bad : {"", "1,5", "0x10", "nan", "inf", "1 ", "1.5x"}) {
    INFO(bad);
    CHECK(!parse_double(bad));
  }
  CHECK(parse_int("-7") == -7);
  CHECK(!parse_int("7.0"));
  CHECK(!parse_int("99999999999999999999"));
}

TEST_CASE("globs match whole names") {
  CHECK(glob_match("gpt-*", "gpt-5-nano"));
  CHECK(glob_match("*", ""));
  CHECK(glob_match("a?c*e", "abcde"));
  CHECK(!glob_match("gpt-?", "gpt-55"));
  CHECK(!glob_match("", "x"));
  CHECK(glob_match("**b**", "aab"));
}

TEST_CASE("the nearest name is a likely typo, not just any name") {
  const std::vector<std::string> names = {"explain", "bench", "models"};
  CHECK(nearest_name("explian", names) == "explain");
  CHECK(nearest_name("model", names) == "models");
  CHECK(!nearest_name("hello", names));
}

TEST_CASE("thousands are grouped") {
  CHECK(with_thousands(0) == "0");
  CHECK(with_thousands(999) == "999");
  CHECK(with_thousands(1000) == "1,000");
  CHECK(with_thousands(-1234567) == "-1,234,567");
}

TEST_CASE("splitting keeps empty parts and joining undoes it") {
  const auto parts = split("a,,b,", ',');
  CHECK(parts == std::vector<std::string>{"a", "", "b", ""});
  CHECK(join(parts, ",") == "a,,b,");
}

}  // namespace llmroute::base
