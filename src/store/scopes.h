// Scopes: what a ceiling counts. Each has one counter for money settled and one
// for money held; an attempt counts in all of its scopes.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/money.h"

namespace llmroute::store {

enum class Window { kRun, kDay, kMonth };  // days and months are UTC

struct Ceiling {
  Window window = Window::kDay;
  std::string tag;  // "team=search"; empty: everything
  core::Money limit;
};

// When it counts from nothing again, as messages say it: "at 00:00 UTC"; empty:
// never.
std::string starts_anew(Window window, int64_t time_ms);

// As messages name it: "per_day of tag team=search".
std::string ceiling_name(const Ceiling& ceiling);

// "2026-11-28" and "2026-11" of milliseconds since 1970.
std::string day_of(int64_t time_ms);
std::string month_of(int64_t time_ms);

// "day/2026-11-28", "tag/team=search/month/2026-11", "run/01K...".
std::string scope_name(Window window, std::string_view tag, int64_t time_ms,
                       std::string_view run);

}  // namespace llmroute::store
