#include "app/race.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <thread>

#include "base/files.h"

namespace llmroute::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Commands that run beside each other.
struct RaceOfCommands {
  core::Provider& provider(const std::string& script) {
    core::Provider& one =
        *providers.emplace_back(std::make_unique<core::Provider>());
    one.name = "local";
    one.protocol = core::Protocol::kExec;
    one.command = {"sh", "-c", script};
    return one;
  }
  bool start(const std::string& script) {
    return race.start({provider(script), model, prompt, {}, 0, true, {}, {}});
  }

  std::vector<std::unique_ptr<core::Provider>> providers;
  core::Model model;
  core::Prompt prompt;
  std::atomic<bool> cancelled{false};
  std::string text;
  bool wanted = true;
  Race race{{&cancelled, -1}, [this](std::string_view piece) {
              text += piece;
              return wanted;
            }};
};

bool answered(const Race::Finish& finish) {
  return std::holds_alternative<core::Reply>(finish.result);
}

TEST_CASE("one alone runs as any call does") {
  RaceOfCommands one;
  REQUIRE(one.start("echo hello; sleep 0.05; echo again"));
  CHECK_FALSE(one.race.silent_for(milliseconds(60'000)));
  const auto all = one.race.finish();
  REQUIRE(all.size() == 1);
  CHECK(answered(all[0]));
  CHECK_FALSE(all[0].outrun);
  CHECK(all[0].first_token.count() >= 1);
  CHECK(one.text == "hello\nagain\n");
}

TEST_CASE("the first to say something wins, the other is cancelled") {
  for (const bool first_is_slow : {false, true}) {
    RaceOfCommands two;
    REQUIRE(two.start(first_is_slow ? "sleep 60; echo one"
                                    : "sleep 0.3; echo one"));
    REQUIRE(two.race.silent_for(milliseconds(50)));
    REQUIRE(two.start(first_is_slow ? "sleep 0.3; echo two"
                                    : "sleep 60; echo two"));
    const auto all = two.race.finish();
    REQUIRE(all.size() == 2);
    const size_t winner = first_is_slow ? 1 : 0;
    CHECK(answered(all[winner]));
    CHECK_FALSE(all[winner].outrun);
    CHECK_FALSE(answered(all[1 - winner]));
    CHECK(all[1 - winner].outrun);
    CHECK(two.text == (first_is_slow ? "two\n" : "one\n"));
  }
}

TEST_CASE("who fails does not win") {
  RaceOfCommands two;
  REQUIRE(two.start("sleep 0.2; exit 1"));
  REQUIRE(two.race.silent_for(milliseconds(10)));
  REQUIRE(two.start("sleep 0.4; echo two"));
  const auto all = two.race.finish();
  CHECK_FALSE(all[0].outrun);
  CHECK(answered(all[1]));
}

TEST_CASE(
    "nothing is begun once something came, one ended, or all are cancelled") {
  RaceOfCommands talks, fails, cancelled;
  REQUIRE(talks.start("echo hello; sleep 0.1"));
  CHECK_FALSE(talks.race.silent_for(milliseconds(60'000)));
  CHECK_FALSE(talks.start("echo two"));
  REQUIRE(fails.start("exit 1"));
  CHECK_FALSE(fails.race.silent_for(milliseconds(60'000)));
  CHECK_FALSE(fails.start("echo two"));
  REQUIRE(cancelled.start("sleep 60"));
  cancelled.cancelled = true;
  CHECK_FALSE(cancelled.race.silent_for(milliseconds(0)));
  CHECK_FALSE(cancelled.start("echo two"));
  const auto all = cancelled.race.finish();
  CHECK(std::get<core::Failure>(all[0].result).kind ==
        core::FailureClass::kCancelled);
}

TEST_CASE("a sink that has had enough ends the winner") {
  RaceOfCommands one;
  one.wanted = false;
  REQUIRE(one.start("echo hello; sleep 60"));
  const auto all = one.race.finish();
  CHECK_FALSE(answered(all[0]));
  CHECK(one.text == "hello\n");
}

TEST_CASE("what still runs ends with the race") {
  const auto begin = steady_clock::now();
  {
    RaceOfCommands one;
    CHECK(one.start("sleep 60"));
  }
  CHECK(steady_clock::now() - begin < std::chrono::seconds(30));
}

// Its thread may be gone by then, and what the piece is a view of.
TEST_CASE("a piece that waits when all are cancelled is not handed on") {
  RaceOfCommands one;
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  const base::Descriptor read(pipe[0]);
  base::Descriptor write(pipe[1]);
  // The race notices the cancellation only when the piece wakes it.
  REQUIRE(
      one.start(fmt::format("read line < /proc/{}/fd/{}; echo hello; sleep 60",
                            ::getpid(), pipe[0])));
  std::thread canceller([&] {
    ::usleep(200'000);  // it waits for news by then
    one.cancelled = true;
    write.reset();
  });
  CHECK_FALSE(one.race.silent_for(milliseconds(60'000)));
  canceller.join();
  const auto all = one.race.finish();
  CHECK_FALSE(answered(all[0]));
  CHECK(one.text.empty());
}

}  // namespace
}  // namespace llmroute::app
