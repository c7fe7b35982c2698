#include "provider/retry_hint.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "base/text.h"

namespace llmroute::provider {
namespace {

using std::chrono::milliseconds;

constexpr double kLongest = 366.0 * 24 * 3600 * 1000;  // ms
constexpr std::string_view kNumberBytes = "0123456789.";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

// A positive time of at least a millisecond; nothing for anything else.
std::optional<milliseconds> positive(double ms) {
  if (!(ms > 0)) return std::nullopt;
  return milliseconds(std::llround(std::ceil(std::min(ms, kLongest))));
}

// Decimal digits with at most one point, and nothing else.
std::optional<double> plain_number(std::string_view text) {
  text = base::trim(text);
  if (text.empty() ||
      text.find_first_not_of(kNumberBytes) != std::string_view::npos) {
    return std::nullopt;
  }
  return base::parse_double(text);
}

// Milliseconds in one unit; 0: not a unit.
double unit_length(std::string_view unit) {
  struct Unit {
    std::string_view name;
    double ms;
  };
  constexpr std::array<Unit, 15> kUnits = {{{"ms", 1},
                                            {"millisecond", 1},
                                            {"milliseconds", 1},
                                            {"s", 1e3},
                                            {"sec", 1e3},
                                            {"secs", 1e3},
                                            {"second", 1e3},
                                            {"seconds", 1e3},
                                            {"m", 60e3},
                                            {"min", 60e3},
                                            {"minute", 60e3},
                                            {"minutes", 60e3},
                                            {"h", 3600e3},
                                            {"hour", 3600e3},
                                            {"hours", 3600e3}}};
  const auto* found = std::find_if(
      kUnits.begin(), kUnits.end(),
      [unit](const Unit& candidate) { return candidate.name == unit; });
  return found == kUnits.end() ? 0 : found->ms;
}

std::string_view take_while(std::string_view& text, bool (*belongs)(char)) {
  size_t end = 0;
  while (end < text.size() && belongs(text[end])) ++end;
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(end);
  return taken;
}

// "12.5s", "6 seconds": a number and its unit, in milliseconds. A number
// without a unit is seconds.
std::optional<double> take_term(std::string_view& text) {
  std::string_view rest = text;
  std::string_view number =
      take_while(rest, [](char c) { return is_digit(c) || c == '.'; });
  // A point that ends the sentence.
  if (number.ends_with('.')) number.remove_suffix(1);
  const auto value = plain_number(number);
  if (!value) return std::nullopt;
  if (rest.starts_with(' ')) rest.remove_prefix(1);
  const std::string_view word = take_while(rest, is_letter);
  const double unit = word.empty() ? 1e3 : unit_length(word);
  if (unit == 0) return std::nullopt;  // "3 days", "2 attempts"
  text = rest;
  return *value * unit;
}

std::optional<milliseconds> header_ms(const ResponseHead& head,
                                      std::string_view name) {
  const auto value = head.find(name);
  const auto number = value ? plain_number(*value) : std::nullopt;
  return number ? positive(*number) : std::nullopt;
}

std::optional<milliseconds> retry_after(std::string_view value,
                                        const ResponseHead& head,
                                        base::Wall now) {
  if (const auto seconds = plain_number(value)) return positive(*seconds * 1e3);
  const auto until = parse_http_date(value);
  if (!until) return std::nullopt;
  const auto date_header = head.find("date");
  const auto date = date_header ? parse_http_date(*date_header) : std::nullopt;
  const std::chrono::sys_time<milliseconds> from =
      date ? *date : std::chrono::floor<milliseconds>(now);
  return positive(static_cast<double>((*until - from).count()));
}

std::optional<int> month_number(std::string_view name) {
  constexpr std::array<std::string_view, 12> kMonths = {
      "jan", "feb", "mar", "apr", "may", "jun",
      "jul", "aug", "sep", "oct", "nov", "dec"};
  const std::string lower = base::to_lower_ascii(name);
  const auto* found = std::find(kMonths.begin(), kMonths.end(), lower);
  if (found == kMonths.end()) return std::nullopt;
  return static_cast<int>(found - kMonths.begin()) + 1;
}

std::optional<std::chrono::seconds> time_of_day(std::string_view text) {
  const auto parts = base::split(text, ':');
  if (parts.size() != 3) return std::nullopt;
  const auto hour = base::parse_int(parts[0]);
  const auto minute = base::parse_int(parts[1]);
  const auto second = base::parse_int(parts[2]);
  const bool valid = hour && minute && second && *hour >= 0 && *hour < 24 &&
                     *minute >= 0 && *minute < 60 && *second >= 0 &&
                     *second <= 60;  // 60: a leap second
  if (!valid) return std::nullopt;
  return std::chrono::seconds(*hour * 3600 + *minute * 60 + *second);
}

// The words of a date in the order day, month, year, time.
std::vector<std::string> date_words(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '-', ' ');  // RFC 850
  std::vector<std::string> words;
  for (const std::string& word : base::split(spaced, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  if (words.size() == 5 && month_number(words[1])) {  // asctime
    return {words[2], words[1], words[4], words[3]};
  }
  if (words.size() != 6 || words[5] != "GMT") return {};
  return {words[1], words[2], words[3], words[4]};
}

}  // namespace

std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text) {
  const auto words = date_words(base::trim(text));
  if (words.size() != 4) return std::nullopt;
  const auto day = base::parse_int(words[0]);
  const auto month = month_number(words[1]);
  auto year = base::parse_int(words[2]);
  const auto time = time_of_day(words[3]);
  if (!day || !month || !year || !time) return std::nullopt;
  if (words[2].size() == 2) *year += *year < 70 ? 2000 : 1900;
  if (*day < 1 || *day > 31 || *year < 1970 || *year > 9999) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{
      std::chrono::year(static_cast<int>(*year)),
      std::chrono::month(static_cast<unsigned>(*month)),
      std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + *time;
}

std::optional<milliseconds> parse_retry_delay(std::string_view text) {
  double total = 0;
  bool any = false;
  text = base::trim(text);
  while (!text.empty() && is_digit(text.front())) {
    const auto term = take_term(text);
    if (!term) return std::nullopt;
    total += *term;
    any = true;
  }
  return any ? positive(total) : std::nullopt;
}

std::optional<milliseconds> retry_hint_in_text(std::string_view message) {
  const std::string lower = base::to_lower_ascii(message);
  for (const std::string_view lead :
       {"retry in ", "again in ", "retry after ", "again after "}) {
    const size_t at = lower.find(lead);
    if (at == std::string::npos) continue;
    const auto delay =
        parse_retry_delay(std::string_view(lower).substr(at + lead.size()));
    if (delay) return delay;
  }
  return std::nullopt;
}

std::optional<milliseconds> retry_hint_in_headers(const ResponseHead& head,
                                                  base::Wall now) {
  for (const char* name : {"retry-after-ms", "x-ms-retry-after-ms"}) {
    if (const auto hint = header_ms(head, name)) return hint;
  }
  for (const auto& [name, value] : head.headers) {
    if (name != "retry-after") continue;
    if (const auto hint = retry_after(value, head, now)) return hint;
  }
  return std::nullopt;
}

}  // namespace llmroute::provider
