#include "provider/retry_hint.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

namespace llmroute::provider {
namespace {

using std::chrono::milliseconds;
using Headers = std::vector<std::pair<std::string, std::string>>;

const base::Wall kNow = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1) +
                        std::chrono::hours(12);

std::optional<int64_t> count(std::optional<milliseconds> time) {
  return time ? std::optional(time->count()) : std::nullopt;
}

TEST_CASE("hints in headers: every form, first valid one wins") {
  struct Case {
    Headers headers;
    std::optional<int64_t> ms;
  };
  for (const Case& c : std::vector<Case>{
           {{{"retry-after", "2"}}, 2000},
           {{{"retry-after", " 2.5 "}}, 2500},
           {{{"retry-after", "0.0001"}}, 1},
           {{{"retry-after-ms", "120"}}, 120},
           {{{"x-ms-retry-after-ms", "7000"}}, 7000},
           {{{"retry-after", "9"}, {"retry-after-ms", "120"}}, 120},
           {{{"retry-after", "9"}, {"retry-after-ms", "soon"}}, 9000},
           {{{"retry-after", "soon"}, {"retry-after", "3"}}, 3000},
           {{{"retry-after", "2"}, {"retry-after", "3"}}, 2000},
           {{{"retry-after", "0"}}, std::nullopt},
           {{{"retry-after", "-5"}}, std::nullopt},
           {{{"retry-after", "NaN"}}, std::nullopt},
           {{{"retry-after", "inf"}}, std::nullopt},
           {{{"retry-after", "1e9"}}, std::nullopt},
           {{{"retry-after", "soon"}}, std::nullopt},
           {{{"retry-after", ""}}, std::nullopt},
           {{{"retry-after", "1.2.3"}}, std::nullopt},
           {{{"retry-after", "99999999999999999999"}},
            366LL * 24 * 3600 * 1000},
           {{}, std::nullopt}}) {
    CAPTURE(c.ms.value_or(-1));
    CHECK(count(retry_hint_in_headers({429, c.headers}, kNow)) == c.ms);
  }
}

TEST_CASE("a date is measured against the response's own clock") {
  const std::string date = "Thu, 01 Jan 2026 10:00:00 GMT";
  const std::string later = "Thu, 01 Jan 2026 10:00:05 GMT";
  CHECK(count(retry_hint_in_headers(
            {429, {{"date", date}, {"retry-after", later}}}, kNow)) == 5000);
  CHECK(count(retry_hint_in_headers(
            {429, {{"date", later}, {"retry-after", date}}}, kNow)) ==
        std::nullopt);
  CHECK(count(retry_hint_in_headers(
            {429, {{"retry-after", "Thu, 01 Jan 2026 12:00:07 GMT"}}}, kNow)) ==
        7000);
  CHECK(count(retry_hint_in_headers(
            {429, {{"date", "?"}, {"retry-after", date}}}, kNow)) ==
        std::nullopt);
}

TEST_CASE("dates in their three forms and in none") {
  const auto expected =
      std::chrono::sys_days(std::chrono::year(1994) / 11 / 6) +
      std::chrono::seconds(8 * 3600 + 49 * 60 + 37);
  for (const char* text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994"}) {
    CAPTURE(text);
    CHECK(parse_http_date(text) == expected);
  }
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:60 GMT").has_value());
  for (const char* text :
       {"", "Sun, 06 Nov 1994 08:49:37", "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov -994 08:49:37 GMT", "Sun, 06 Nov 99999 08:49:37 GMT",
        "1994-11-06T08:49:37Z", "6"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_http_date(text).has_value());
  }
}

TEST_CASE("delays as providers write them in bodies") {
  struct Case {
    const char* text;
    std::optional<int64_t> ms;
  };
  for (const auto& [text, ms] :
       std::vector<Case>{{"Please try again in 5.289s. Visit", 5289},
                         {"Please retry in 12.5s.", 12500},
                         {"try again in 1m2.5s", 62500},
                         {"try again in 6m0s. Contact", 360000},
                         {"Try again in 900ms", 900},
                         {"Please retry after 6 seconds.", 6000},
                         {"Please try again in 1h2m3s", 3723000},
                         {"retry in 20", 20000},
                         {"try again in 20.", 20000},
                         {"try again in a minute", std::nullopt},
                         {"try again in -5s", std::nullopt},
                         {"try again in 0s", std::nullopt},
                         {"You exceeded your current quota", std::nullopt},
                         {"again in ", std::nullopt},
                         {"", std::nullopt}}) {
    CAPTURE(text);
    CHECK(count(retry_hint_in_text(text)) == ms);
  }
  CHECK(count(parse_retry_delay("34.07s")) == 34070);
  CHECK(count(parse_retry_delay("900ms")) == 900);
  CHECK_FALSE(parse_retry_delay("s").has_value());
  CHECK_FALSE(parse_retry_delay("1..2s").has_value());
}

}  // namespace
}  // namespace llmroute::provider
