#include "provider/rate_limit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/text.h"
#include "provider/retry_hint.h"

namespace llmroute::provider {
namespace {

using std::chrono::milliseconds;
using Instant = std::chrono::sys_time<milliseconds>;

// A number above these is a time since 1970, not a duration.
constexpr double kSomeDaySeconds = 1e9;
constexpr double kSomeDayMilliseconds = 1e12;

struct Names {
  std::string_view remaining, reset;
  bool tokens = false;
};
constexpr std::array<Names, 8> kNames = {{
    {"x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"},
    {"x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens", true},
    {"anthropic-ratelimit-requests-remaining",
     "anthropic-ratelimit-requests-reset"},
    {"anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset",
     true},
    {"anthropic-ratelimit-input-tokens-remaining",
     "anthropic-ratelimit-input-tokens-reset", true},
    {"anthropic-ratelimit-output-tokens-remaining",
     "anthropic-ratelimit-output-tokens-reset", true},
    {"x-ratelimit-remaining", "x-ratelimit-reset"},
    {"ratelimit-remaining", "ratelimit-reset"},
}};

// Exactly that many digits at the front, taken away.
std::optional<int> take_digits(std::string_view& text, size_t count) {
  const std::string_view digits = text.substr(0, count);
  if (digits.size() < count ||
      digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  text.remove_prefix(count);
  return static_cast<int>(base::parse_int(digits).value_or(0));
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{
      std::chrono::year(*year),
      std::chrono::month(static_cast<unsigned>(*month)),
      std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

// "23:59", without bounds checked here.
std::optional<std::chrono::minutes> take_minutes(std::string_view& text) {
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
  return std::chrono::minutes(*hour * 60 + *minute);
}

// ".25" as milliseconds; digits beyond the third are dropped.
milliseconds take_fraction(std::string_view& text) {
  if (!take(text, ".")) return milliseconds(0);
  int64_t value = 0, unit = 100;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    value += unit * (text.front() - '0');
    unit /= 10;
    text.remove_prefix(1);
  }
  return milliseconds(value);
}

// "Z" or "+02:00", and nothing after it.
std::optional<std::chrono::minutes> take_offset(std::string_view text) {
  if (text == "Z" || text == "z") return std::chrono::minutes(0);
  const bool west = text.starts_with('-');
  if (!take(text, "+-")) return std::nullopt;
  const auto offset = take_minutes(text);
  if (!offset || !text.empty()) return std::nullopt;
  return west ? -*offset : *offset;
}

Instant date_of(const ResponseHead& head, base::Wall now) {
  const auto header = head.find("date");
  const auto date = header ? parse_http_date(*header) : std::nullopt;
  return date ? Instant(*date) : std::chrono::floor<milliseconds>(now);
}

// How long from `date` on; nothing if it is over or cannot be read.
std::optional<milliseconds> until_reset(std::string_view text, Instant date) {
  std::optional<milliseconds> until;
  if (const auto instant = parse_rfc3339(text)) {
    until = *instant - date;
  } else if (const auto number = base::parse_double(text);
             number && std::isfinite(*number) && *number >= kSomeDaySeconds) {
    const double ms = *number >= kSomeDayMilliseconds ? *number : *number * 1e3;
    const auto since_1970 = static_cast<int64_t>(std::min(ms, 1e15));
    until = milliseconds(since_1970) - date.time_since_epoch();
  } else if (text.find(':') == std::string_view::npos) {
    until = parse_retry_delay(text);
  }
  return until && until->count() > 0 ? until : std::nullopt;
}

void keep_least(std::optional<int64_t>& least, int64_t value) {
  least = std::min(least.value_or(value), value);
}

}  // namespace

std::optional<Instant> parse_rfc3339(std::string_view text) {
  text = base::trim(text);
  const auto date = take_date(text);
  if (!date || !take(text, "Tt ")) return std::nullopt;
  const auto minutes = take_minutes(text);
  if (!minutes || !take(text, ":")) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second || *second > 60) return std::nullopt;  // 60: a leap second
  const milliseconds fraction = take_fraction(text);
  const auto offset = take_offset(text);
  if (!offset) return std::nullopt;
  return Instant(*date) + *minutes + std::chrono::seconds(*second) + fraction -
         *offset;
}

core::RateLimit read_rate_limit(const ResponseHead& head, base::Wall now) {
  core::RateLimit limit;
  for (const Names& names : kNames) {
    const auto remaining = head.find(names.remaining);
    const auto count = remaining ? base::parse_int(*remaining) : std::nullopt;
    if (!count || *count < 0) continue;
    keep_least(names.tokens ? limit.tokens : limit.requests, *count);
    const auto reset = head.find(names.reset);
    if (*count > 0 || !reset) continue;
    const auto wait = until_reset(*reset, date_of(head, now));
    limit.wait = std::max(limit.wait, wait.value_or(milliseconds(0)));
  }
  return limit;
}

}  // namespace llmroute::provider
