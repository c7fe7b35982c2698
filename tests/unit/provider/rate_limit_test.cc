#include "provider/rate_limit.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using llmroute::core::RateLimit;
using llmroute::provider::parse_rfc3339;
using llmroute::provider::read_rate_limit;
using std::chrono::milliseconds;

namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

// The server's clock says 10:00:00, ours is elsewhere.
RateLimit read(Headers headers) {
  headers.emplace_back("date", "Thu, 01 Jan 2026 10:00:00 GMT");
  return read_rate_limit({200, std::move(headers)}, {});
}

milliseconds wait_of(const std::string& reset) {
  return read({{"x-ratelimit-remaining-requests", "0"},
               {"x-ratelimit-reset-requests", reset}})
      .wait;
}

}  // namespace

TEST_CASE("a reset is a duration in the words of OpenAI and Groq") {
  CHECK(wait_of("6m0s") == milliseconds(360'000));
  CHECK(wait_of("1.2s") == milliseconds(1200));
  CHECK(wait_of("20ms") == milliseconds(20));
  CHECK(wait_of("1h2m3s") == milliseconds(3'723'000));
  CHECK(wait_of("2m59.56s") == milliseconds(179'560));
  CHECK(wait_of("60") == milliseconds(60'000));
}

TEST_CASE("a reset is a time, measured by the server's own clock") {
  CHECK(wait_of("2026-01-01T10:00:30Z") == milliseconds(30'000));
  CHECK(wait_of("2026-01-01T12:00:30.25+02:00") == milliseconds(30'250));
  CHECK(wait_of("1767261660") == milliseconds(60'000));
  CHECK(wait_of("1767261600500") == milliseconds(500));
}

TEST_CASE("a reset that is over or cannot be read holds nobody") {
  for (const char* reset : {"2026-01-01T09:59:59Z", "0s", "-5s", "soon", "",
                            "nan", "1e400", "2026-13-01T10:00:30Z"}) {
    INFO(reset);
    CHECK(wait_of(reset).count() == 0);
  }
}

TEST_CASE("a limit that is not used up holds nobody") {
  const RateLimit limit = read({{"x-ratelimit-remaining-requests", "7"},
                                {"x-ratelimit-reset-requests", "6m0s"},
                                {"x-ratelimit-remaining-tokens", "149984"},
                                {"x-ratelimit-reset-tokens", "6ms"}});
  CHECK(limit.requests == 7);
  CHECK(limit.tokens == 149'984);
  CHECK(limit.wait.count() == 0);
}

TEST_CASE("the least of Anthropic's limits counts, and the longest wait") {
  const RateLimit limit =
      read({{"anthropic-ratelimit-requests-remaining", "49"},
            {"anthropic-ratelimit-requests-reset", "2026-01-01T10:00:01Z"},
            {"anthropic-ratelimit-input-tokens-remaining", "0"},
            {"anthropic-ratelimit-input-tokens-reset", "2026-01-01T10:00:07Z"},
            {"anthropic-ratelimit-output-tokens-remaining", "0"},
            {"anthropic-ratelimit-output-tokens-reset", "2026-01-01T10:00:05Z"},
            {"anthropic-ratelimit-tokens-remaining", "8000"},
            {"anthropic-ratelimit-tokens-reset", "2026-01-01T10:01:00Z"}});
  CHECK(limit.requests == 49);
  CHECK(limit.tokens == 0);
  CHECK(limit.wait == milliseconds(7000));
}

TEST_CASE("P9: a reply without such headers, or with odd ones, says nothing") {
  CHECK(!read({}).requests);
  CHECK(!read({{"x-ratelimit-remaining-requests", "many"}}).requests);
  CHECK(!read({{"x-ratelimit-remaining-requests", "-1"}}).requests);
  // On a success it is no business of ours.
  CHECK(read({{"retry-after", "30"}}).wait.count() == 0);
}

TEST_CASE("an RFC 3339 time is read whole or not at all") {
  const auto noon = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1) +
                    std::chrono::hours(12);
  CHECK(parse_rfc3339("2026-01-01T12:00:00Z") == noon);
  CHECK(parse_rfc3339("2026-01-01t10:30:00-01:30") == noon);
  CHECK(parse_rfc3339("2026-01-01T12:00:00.123456Z") ==
        noon + milliseconds(123));
  for (const char* text :
       {"2026-01-01", "2026-01-01T12:00:00", "2026-02-30T12:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T12:00:00Zjunk", "12:00:00Z",
        "2026-1-1T12:00:00Z", ""}) {
    INFO(text);
    CHECK(!parse_rfc3339(text));
  }
}
