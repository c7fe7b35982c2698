#include "app/bench_speed.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "analyzer/analyzer.h"
#include "app/input.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/json_writer.h"
#include "base/table.h"
#include "base/text.h"
#include "routing/router.h"

namespace llmroute::app {
namespace {

constexpr std::array<std::string_view, 6> kPrompts = {
    "Write a Python function that reads a CSV file with the columns name, date "
    "and amount, groups the rows by month, and returns a dictionary from month "
    "to the sum of the amounts. Rows with a missing or malformed amount should "
    "be counted and reported on standard error. Please add type hints and two "
    "tests.",
    "Hi team,\nthe release is moved to Thursday because the staging database "
    "ran out of disk space on Monday night. Please hold merges to main until "
    "the backup has finished. Operations will confirm by noon tomorrow.\n"
    "Summarise this for the weekly report in one sentence, without names or "
    "times of day.",
    "A tank is filled by two pipes in 6 and 9 hours and emptied by a third in "
    "12 hours. All three are opened at 8:00 in the morning. After two hours "
    "the slower of the filling pipes is closed for 45 minutes. At what time is "
    "the tank full? Show each step and check the result by another method.",
    "Explain why the Hanseatic League lost its importance between 1450 and "
    "1650. Consider trade routes, the rise of territorial states, the role of "
    "the herring, and competition from Dutch shipping, and say which of these "
    "historians consider decisive today. Around three paragraphs for an "
    "interested layperson.",
    "Prove that every finite group of even order contains an element of order "
    "two. Then decide whether the number of such elements is always odd, and "
    "give a proof or a counterexample. Do not use Cauchy's theorem or Sylow's "
    "theorems; argue only from the definition of a group and from counting "
    "its elements in pairs.",
    "Translate the following paragraph into French and keep the tone formal: "
    "the museum reopens in May after two years of renovation. Visitors will "
    "find a new glass roof over the inner courtyard, a larger shop and "
    "step-free access to all floors. The collection of maps will be shown for "
    "the first time since 1987."};

constexpr size_t kLongBytes = 20'000;
constexpr int kStarts = 20;
constexpr size_t kMostSamples = 2'000'000;

using Nanoseconds = std::chrono::duration<double, std::nano>;

// Calls `run(i)` for about `seconds`, timing each call.
template <class Run>
Timing time_calls(std::string what, double seconds, Run&& run) {
  Timing timing;
  timing.what = std::move(what);
  std::vector<double> samples;
  for (size_t i = 0; i < 64; ++i) run(i);
  const auto begin = base::now();
  auto before = begin;
  do {
    run(samples.size());
    const auto after = base::now();
    samples.push_back(Nanoseconds(after - before).count());
    before = after;
  } while (Nanoseconds(before - begin).count() < seconds * 1e9 &&
           samples.size() < kMostSamples);
  timing.calls = samples.size();
  timing.mean_ns =
      Nanoseconds(before - begin).count() / static_cast<double>(samples.size());
  std::sort(samples.begin(), samples.end());
  timing.p50_ns = samples[samples.size() / 2];
  timing.p99_ns = samples[samples.size() * 99 / 100];
  return timing;
}

std::vector<std::string> long_prompts() {
  std::vector<std::string> prompts;
  for (size_t first = 0; first < kPrompts.size(); ++first) {
    std::string text;
    for (size_t i = first; text.size() < kLongBytes; ++i) {
      text += kPrompts[i % kPrompts.size()];
      text += "\n\n";
    }
    text.resize(kLongBytes);
    prompts.push_back(std::move(text));
  }
  return prompts;
}

Timing time_analysis(const analyzer::Analyzer& analyzer, std::string what,
                     const std::vector<std::string>& prompts, double seconds) {
  double sum = 0;  // keeps the calls alive
  Timing timing = time_calls(std::move(what), seconds, [&](size_t i) {
    sum += analyzer.analyze({prompts[i % prompts.size()], {}}).difficulty;
  });
  size_t bytes = 0;
  for (const std::string& prompt : prompts) bytes += prompt.size();
  timing.bytes = bytes / prompts.size();
  if (sum == 0) timing.what += " (nothing learned)";
  return timing;
}

// The analysis is done beforehand, the decision alone is timed.
base::Result<Timing> time_decision(const core::Config& config,
                                   const analyzer::Analyzer& analyzer,
                                   double seconds) {
  LLMROUTE_TRY(const routing::Router router, routing::Router::create(config));
  std::vector<core::Prompt> prompts;
  std::vector<core::Analysis> analyses;
  for (const std::string_view text : kPrompts) {
    core::Prompt prompt;
    prompt.messages.push_back({core::Role::kUser, std::string(text)});
    analyses.push_back(analyzer.analyze({text, {}}));
    prompts.push_back(std::move(prompt));
  }
  const core::RoutingOptions options;
  size_t candidates = 0;
  base::Status status;
  Timing timing = time_calls("decision", seconds, [&](size_t i) {
    const size_t n = i % prompts.size();
    auto decision =
        router.decide({prompts[n], analyses[n], options, {}, {}, {}});
    if (decision) {
      candidates = decision->candidates.size();
    } else {
      status = decision.error();
    }
  });
  LLMROUTE_CHECK(status);
  timing.bytes = kPrompts[0].size();
  timing.models = candidates;
  return timing;
}

// Wall time in ms of one run with stdout thrown away; negative: it failed.
double run_once(const char* program, const char* argument) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null",
                                   O_WRONLY, 0);
  std::string name = program, word = argument;
  char* arguments[] = {name.data(), word.empty() ? nullptr : word.data(),
                       nullptr};
  const auto begin = base::now();
  pid_t child = 0;
  const int error =
      ::posix_spawn(&child, program, &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return -1;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status == 0 ? Nanoseconds(base::now() - begin).count() / 1e6 : -1;
}

double median_run(const char* program, const char* argument) {
  std::vector<double> times;
  for (int i = 0; i < kStarts; ++i) {
    const double time = run_once(program, argument);
    if (time < 0) return 0;
    times.push_back(time);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

}  // namespace

base::Result<SpeedReport> measure_speed(const core::Config& config,
                                        const analyzer::Analyzer& analyzer,
                                        double seconds) {
  const double each = seconds / 3;
  SpeedReport report;
  report.timings.push_back(time_analysis(
      analyzer, "analysis", {kPrompts.begin(), kPrompts.end()}, each));
  report.timings.push_back(
      time_analysis(analyzer, "analysis, long", long_prompts(), each));
  LLMROUTE_TRY(Timing decision, time_decision(config, analyzer, each));
  report.timings.push_back(std::move(decision));
  report.start = {kStarts, median_run("/proc/self/exe", "--version"),
                  median_run("/bin/true", "")};
  return report;
}

base::Result<SpeedReport> measure_lines(const std::string& path,
                                        const analyzer::Analyzer& analyzer,
                                        double seconds) {
  LLMROUTE_TRY(const std::string text, base::read_file(path, kMostInput));
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  if (lines.empty()) {
    return base::Error{base::ErrorKind::kNoInput, path + ": no lines"};
  }
  SpeedReport report;
  report.timings.push_back(time_analysis(analyzer, "analysis", lines, seconds));
  return report;
}

std::string speed_text(const SpeedReport& report) {
  base::Table table("lrrrrrr");
  table.add_row(
      {"what", "bytes", "models", "p50", "p99", "ns/byte", "a second"});
  for (const Timing& t : report.timings) {
    table.add_row({t.what, std::to_string(t.bytes),
                   t.models > 0 ? std::to_string(t.models) : "",
                   fmt::format("{:.2f} us", t.p50_ns / 1000),
                   fmt::format("{:.2f} us", t.p99_ns / 1000),
                   t.models > 0 ? "" : fmt::format("{:.2f}", t.ns_per_byte()),
                   base::with_thousands(static_cast<int64_t>(t.per_second()))});
  }
  std::string text = table.render();
  const StartTime& start = report.start;
  if (start.program_ms > 0) {
    text += fmt::format("\nstart of the program: {:.2f} ms", start.program_ms);
    if (start.true_ms > 0) {
      text += fmt::format(" ({:.1f} x /bin/true)",
                          start.program_ms / start.true_ms);
    }
    text += "\n";
  }
  return text;
}

std::string speed_json(const SpeedReport& report) {
  base::JsonWriter json;
  json.begin_object().field("version", LLMROUTE_VERSION);
  json.key("timings").begin_array();
  for (const Timing& t : report.timings) {
    json.begin_object().field("what", t.what).field("bytes", t.bytes);
    if (t.models > 0) json.field("models", t.models);
    json.field("calls", t.calls).field("mean_ns", t.mean_ns);
    json.field("p50_ns", t.p50_ns).field("p99_ns", t.p99_ns);
    if (t.models == 0) json.field("ns_per_byte", t.ns_per_byte());
    json.field("per_second", t.per_second()).end_object();
  }
  json.end_array();
  json.key("start").begin_object().field("runs", report.start.runs);
  json.field("program_ms", report.start.program_ms);
  json.field("true_ms", report.start.true_ms).end_object();
  return json.end_object().take() + "\n";
}

}  // namespace llmroute::app
