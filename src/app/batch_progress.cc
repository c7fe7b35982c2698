#include "app/batch_progress.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "app/batch_summary.h"
#include "app/terminal.h"
#include "base/json_writer.h"
#include "base/table.h"
#include "base/text.h"
#include "core/money_json.h"
namespace llmroute::app {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRedraw{100};
constexpr milliseconds kLine{10'000};

// A handler can reach nothing but globals.
std::atomic<bool> status_wanted{false};
void on_status_signal(int) { status_wanted.store(true); }

std::string duration_text(double seconds) {
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}:{:02} min", whole / 60, whole % 60);
  return fmt::format("{}:{:02} h", whole / 3600, whole / 60 % 60);
}

// "cheap 312, strong 20", the most used first.
std::string model_counts(const BatchTotals& totals) {
  std::vector<std::pair<int64_t, std::string>> counts;
  for (const auto& [name, model] : totals.models()) {
    counts.emplace_back(model.records, name);
  }
  std::sort(counts.rbegin(), counts.rend());
  std::vector<std::string> texts;
  for (const auto& [count, name] : counts) {
    texts.push_back(fmt::format("{} {}", name, base::with_thousands(count)));
  }
  return base::join(texts, ", ");
}

double rate_of(const BatchTotals& totals, double seconds) {
  const auto fresh = static_cast<double>(totals.done() - totals.replayed());
  return seconds > 0 ? fresh / seconds : 0;
}

std::string json_line(const BatchState& state, double seconds) {
  const BatchTotals& totals = state.totals;
  const std::optional<int64_t>& expected = state.expected;
  base::JsonWriter json;
  json.begin_object().field("event", "progress");
  json.field("done", totals.done()).field("expected", expected);
  json.field("ok", totals.ok()).field("failed", totals.failed());
  json.field("replayed", totals.replayed());
  json.field("running", static_cast<int64_t>(state.running));
  json.field("waiting", static_cast<int64_t>(state.waiting));
  json.field("retries", state.retries).field("seconds", seconds);
  json.field("per_second", rate_of(totals, seconds));
  core::write_usd(json, "cost_usd", known_cost(totals));
  json.field("unknown_records", totals.unpriced());
  json.key("models").begin_object();
  for (const auto& [name, model] : totals.models()) {
    json.field(name, model.records);
  }
  json.end_object();
  if (!state.troubles.empty()) json.field("troubles", state.troubles);
  return json.end_object().take();
}

std::string text_line(const BatchState& state, double seconds) {
  const BatchTotals& totals = state.totals;
  const std::optional<int64_t>& expected = state.expected;
  const double rate = rate_of(totals, seconds);
  std::vector<std::string> parts;
  std::string done = base::with_thousands(totals.done());
  if (expected && *expected > 0) {
    done += fmt::format(" of {} ({:.0f} %)", base::with_thousands(*expected),
                        100.0 * static_cast<double>(totals.done()) /
                            static_cast<double>(*expected));
  }
  parts.push_back(std::move(done));
  if (totals.failed() > 0)
    parts.push_back(fmt::format("{} failed", totals.failed()));
  parts.push_back(fmt::format("{:.{}f}/s", rate, rate < 10 ? 1 : 0));
  if (expected && rate > 0 && *expected > totals.done()) {
    parts.push_back(
        duration_text(static_cast<double>(*expected - totals.done()) / rate) +
        " left");
  }
  std::string spend = totals.display_cost();
  if (state.ceiling) spend += " of " + core::display_usd(*state.ceiling);
  parts.push_back(std::move(spend));
  if (!totals.models().empty()) parts.push_back(model_counts(totals));
  if (state.retries > 0)
    parts.push_back(fmt::format("{} {}", state.retries,
                                state.retries == 1 ? "retry" : "retries"));
  if (!state.troubles.empty()) parts.push_back(state.troubles);
  return base::join(parts, "  ");
}

}  // namespace

void watch_status_signal() {
  struct sigaction action {};
  action.sa_handler = on_status_signal;
  sigaction(SIGUSR1, &action, nullptr);
}

BatchProgress::BatchProgress(const std::string& when, bool redraws,
                             const Messages& messages, Time start)
    : messages_(messages), start_(start), next_(start + kRedraw) {
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  if (when == "json") {
    style_ = Style::kJson;
  } else if (when == "always" || (when == "auto" && terminal)) {
    style_ = terminal && redraws ? Style::kRedraw : Style::kLines;
  }
  if (style_ == Style::kLines) next_ = start + kLine;
}

bool BatchProgress::due(Time now) const {
  return status_wanted.load() || (style_ != Style::kNone && now >= next_);
}

std::optional<BatchProgress::Time> BatchProgress::next() const {
  if (style_ == Style::kNone) return std::nullopt;
  return next_;
}

void BatchProgress::show(const BatchState& state, Time now) {
  const double seconds = std::chrono::duration<double>(now - start_).count();
  if (status_wanted.exchange(false) && style_ != Style::kJson) {
    messages_.note(text_line(state, seconds));
    if (style_ != Style::kRedraw) return;
  }
  switch (style_) {
    case Style::kNone:
      return;
    case Style::kRedraw:
      // Cut to the window, so that it stays one line.
      messages_.status(
          base::clip_to_width(text_line(state, seconds),
                              screen_columns(STDERR_FILENO).value_or(80) - 1));
      next_ = now + kRedraw;
      return;
    case Style::kLines:
      messages_.note(text_line(state, seconds));
      next_ = now + kLine;
      return;
    case Style::kJson:
      messages_.line(json_line(state, seconds));
      next_ = now + milliseconds(1000);
      return;
  }
}

void BatchProgress::clear() { messages_.status(""); }

milliseconds BatchProgress::elapsed(Time now) const {
  return std::chrono::duration_cast<milliseconds>(now - start_);
}

}  // namespace llmroute::app
