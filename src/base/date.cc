#include "base/date.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace llmroute::base {
namespace {

std::optional<int64_t> digits(std::string_view text) {
  if (text.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  return parse_int(text);
}

}  // namespace

std::optional<std::chrono::sys_days> parse_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return {};
  const auto year = digits(text.substr(0, 4));
  const auto month = digits(text.substr(5, 2));
  const auto day = digits(text.substr(8, 2));
  if (!year || !month || !day || *year < 1970) return {};
  const std::chrono::year_month_day date{
      std::chrono::year(static_cast<int>(*year)),
      std::chrono::month(static_cast<unsigned>(*month)),
      std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return {};
  return std::chrono::sys_days(date);
}

std::string format_day(std::chrono::sys_days day) {
  const std::chrono::year_month_day date(day);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

std::optional<std::chrono::sys_days> parse_since(std::string_view text,
                                                 std::chrono::sys_days today) {
  if (!text.ends_with('d')) return parse_day(text);
  text.remove_suffix(1);
  const auto days = digits(text);
  if (!days || *days < 1 || *days > 36500) return {};
  return today - std::chrono::days(*days - 1);
}

std::chrono::system_clock::time_point moment_of(int64_t ms) {
  using Moment = std::chrono::system_clock::time_point;
  using Milliseconds = std::chrono::milliseconds;
  const auto last = std::chrono::floor<Milliseconds>(Moment::max());
  return Moment(std::min(Milliseconds(ms), last.time_since_epoch()));
}

}  // namespace llmroute::base
