// What a person sees of a batch while it runs: a line that is redrawn where
// stderr is a terminal, plain lines or JSON where that was asked for.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "app/batch_totals.h"
#include "app/messages.h"
#include "core/money.h"

namespace llmroute::app {

// Of one moment.
struct BatchState {
  const BatchTotals& totals;
  std::optional<int64_t> expected;  // records in the whole input, about
  size_t running = 0, waiting = 0;
  int64_t retries = 0;
  std::optional<core::Money> ceiling;
  std::string troubles;  // who is held or left alone
};

// One thread.
class BatchProgress {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `when`: "auto", "always", "never" or "json". `redraws`: a terminal can.
  BatchProgress(const std::string& when, bool redraws, const Messages& messages,
                Time start);
  // Whether show() would do anything.
  bool due(Time now) const;
  // When it will be; nothing if never.
  std::optional<Time> next() const;
  // Draws or prints if it is due: ten times a second at most on a terminal,
  // else once in ten seconds, JSON once a second; and at once if SIGUSR1 asked
  // for it.
  void show(const BatchState& state, Time now);
  // Takes the line away, so that something else can be printed.
  void clear();
  std::chrono::milliseconds elapsed(Time now) const;

 private:
  enum class Style { kNone, kRedraw, kLines, kJson };

  Style style_ = Style::kNone;
  const Messages& messages_;
  Time start_, next_;
};

// Makes SIGUSR1 ask for a line; until then it would end the process.
void watch_status_signal();

}  // namespace llmroute::app
