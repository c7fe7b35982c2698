#include "store/scopes.h"

#include <fmt/format.h>

namespace llmroute::store {
namespace {

std::chrono::year_month_day date_of(int64_t time_ms) {
  return std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<std::chrono::milliseconds>(
          std::chrono::milliseconds(time_ms)));
}

}  // namespace

std::string ceiling_name(const Ceiling& ceiling) {
  const std::string of =
      ceiling.tag.empty() ? "" : fmt::format(" of tag {}", ceiling.tag);
  switch (ceiling.window) {
    case Window::kRun:
      return "--max-cost of the run" + of;
    case Window::kDay:
      return "per_day" + of;
    case Window::kMonth:
      return "per_month" + of;
  }
  return of;
}

std::string starts_anew(Window window, int64_t time_ms) {
  switch (window) {
    case Window::kRun:
      return "";
    case Window::kDay:
      return "at 00:00 UTC";
    case Window::kMonth:
      break;
  }
  const std::chrono::year_month_day date = date_of(time_ms);
  const std::chrono::year_month next =
      date.year() / date.month() + std::chrono::months(1);
  return fmt::format("on {:04}-{:02}-01 (UTC)", static_cast<int>(next.year()),
                     static_cast<unsigned>(next.month()));
}

std::string month_of(int64_t time_ms) {
  const std::chrono::year_month_day date = date_of(time_ms);
  return fmt::format("{:04}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()));
}

std::string day_of(int64_t time_ms) {
  return fmt::format("{}-{:02}", month_of(time_ms),
                     static_cast<unsigned>(date_of(time_ms).day()));
}

std::string scope_name(Window window, std::string_view tag, int64_t time_ms,
                       std::string_view run) {
  std::string name;
  if (!tag.empty()) name = fmt::format("tag/{}/", tag);
  switch (window) {
    case Window::kRun:
      return fmt::format("{}run/{}", name, run);
    case Window::kDay:
      return fmt::format("{}day/{}", name, day_of(time_ms));
    case Window::kMonth:
      return fmt::format("{}month/{}", name, month_of(time_ms));
  }
  return name;
}

}  // namespace llmroute::store
