#include "base/date.h"

#include <doctest/doctest.h>

namespace llmroute::base {

TEST_CASE("a day reads back as it is written, and nothing else is a day") {
  for (const char* day :
       {"1970-01-01", "2024-02-29", "2026-11-28", "9999-12-31"}) {
    CAPTURE(day);
    REQUIRE(parse_day(day));
    CHECK(format_day(*parse_day(day)) == day);
  }
  for (const char* text : {"", "2026-11-2", "2026-11-280", "2026-13-01",
                           "2026-02-29", "2026/11/28", "-026-11-28",
                           "2026-11- 8", "2026-+1-28", "1969-12-31", "7d"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_day(text));
  }
}

TEST_CASE("a number of days counts today") {
  const auto today = *parse_day("2026-03-01");
  CHECK(format_day(*parse_since("1d", today)) == "2026-03-01");
  CHECK(format_day(*parse_since("7d", today)) == "2026-02-23");
  CHECK(format_day(*parse_since("2026-01-05", today)) == "2026-01-05");
  for (const char* text : {"0d", "-1d", "d", "1.5d", "36501d", "7", "7h"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_since(text, today));
  }
}

TEST_CASE("a moment that the clock cannot tell is its last") {
  using std::chrono::floor, std::chrono::milliseconds;
  const auto ms_of = [](int64_t ms) {
    return floor<milliseconds>(moment_of(ms)).time_since_epoch().count();
  };
  for (const int64_t ms :
       {int64_t{0}, int64_t{1'800'000'000'123}, int64_t{9'223'372'036'000}}) {
    CHECK(ms_of(ms) == ms);
  }
  CHECK(ms_of(32'472'144'000'000) == 9'223'372'036'854);
  CHECK(ms_of(INT64_MAX) == 9'223'372'036'854);
}

}  // namespace llmroute::base
