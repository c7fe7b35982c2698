#include "provider/exec.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "base/files.h"
#include "fixture.h"

namespace llmroute::provider {
namespace {

using core::Failure;
using core::FailureClass;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A call of `sh -c script`.
struct ExecFixture {
  explicit ExecFixture(const std::string& script) {
    provider.name = "local";
    provider.protocol = core::Protocol::kExec;
    provider.command = {"sh", "-c", script};
    prompt.messages.push_back({core::Role::kUser, "Hi"});
  }

  CallResult run() {
    const auto start = steady_clock::now();
    const Call call{provider, model, prompt,   {},
                    0,        true,  timeouts, {&cancelled, -1}};
    auto result = exec_call(call, [this](std::string_view piece) {
      text += piece;
      return text.size() <= wanted;
    });
    took =
        std::chrono::duration_cast<milliseconds>(steady_clock::now() - start);
    return result;
  }

  core::Provider provider;
  core::Model model;
  core::Prompt prompt;
  Timeouts timeouts;
  std::atomic<bool> cancelled{false};
  std::string text;
  size_t wanted = SIZE_MAX;
  milliseconds took{0};
};

// Whether the process is gone, or a zombie that nobody has taken away yet, soon
// after it was killed.
bool dies(const std::string& pid) {
  for (int i = 0; i < 100; ++i) {
    const auto stat = base::read_file("/proc/" + pid + "/stat", 4096);
    if (!stat || stat->find(") Z ") != std::string::npos) return true;
    ::usleep(10'000);
  }
  return false;
}

TEST_CASE("stdout is the answer, stdin is the prompt") {
  ExecFixture fixture("cat; echo done");
  fixture.prompt.system = "Be brief.";
  const core::Reply reply = reply_of(fixture.run());
  CHECK(reply.text == "Be brief.\n\nHidone\n");
  CHECK(fixture.text == reply.text);
  CHECK_FALSE(reply.usage.complete());
}

TEST_CASE("X10: any prompt arrives byte for byte, and never in argv") {
  for (const std::string& prompt :
       {std::string("$(reboot) `id` \"'\\ \n\n -rf"), std::string("a\0b", 3),
        std::string("-n"), std::string(size_t{1} << 20, 'x')}) {
    ExecFixture fixture("cat");
    fixture.prompt.messages[0].text = prompt;
    CHECK(reply_of(fixture.run()).text == prompt);
  }
}

TEST_CASE("X2: exit statuses") {
  struct Case {
    const char* script;
    FailureClass kind;
    const char* cause;
  };
  for (const auto& [script, kind, cause] : std::vector<Case>{
           {"exit 1", FailureClass::kProtocol, "exit 1"},
           {"exit 75", FailureClass::kTransient, "exit 75"},
           {"exit 9", FailureClass::kTransient, "exit 9"},
           {"exit 126", FailureClass::kGone, "exit 126"},
           {"exit 127", FailureClass::kGone, "exit 127"},
           {"exit 255", FailureClass::kProtocol, "exit 255"},
           {"kill -SEGV $$", FailureClass::kTransient, "signal 11"},
           {"kill -KILL $$", FailureClass::kTransient, "signal 9"}}) {
    for (const char* output : {"", "echo a; "}) {
      CAPTURE(script);
      ExecFixture fixture(std::string(output) + script);
      fixture.provider.retry_exit = {9};
      const core::Failure failure = failure_of(fixture.run());
      CHECK(core::failure_class_name(failure.kind) ==
            core::failure_class_name(kind));
      CHECK(failure.cause == cause);
      CHECK(failure.bytes_streamed == fixture.text.size());
    }
  }
}

TEST_CASE("the end of stderr is in the message") {
  ExecFixture fixture("echo out; echo 'no such model' >&2; exit 1");
  CHECK(failure_of(fixture.run()).message ==
        "sh ended with status 1: no such model");
}

TEST_CASE("X1: a command that is missing or cannot run is gone") {
  for (const char* command :
       {"llmroute-no-such-command", "/no/such/command", "/etc/passwd", "/"}) {
    CAPTURE(command);
    ExecFixture fixture("");
    fixture.provider.command = {command};
    CHECK(core::failure_class_name(failure_of(fixture.run()).kind) ==
          core::failure_class_name(FailureClass::kGone));
  }
  ExecFixture none("");
  none.provider.command.clear();
  CHECK(failure_of(none.run()).kind == FailureClass::kGone);
}

TEST_CASE("X4: at the time-out the whole group goes, even if it will not") {
  const std::string file =
      "/tmp/llmroute-exec-test." + std::to_string(getpid());
  ExecFixture fixture("trap '' TERM; (trap '' TERM; sleep 60) & echo $! > " +
                      file + "; echo a; sleep 60; sleep 60");
  fixture.timeouts.total = milliseconds(200);
  const core::Failure failure = failure_of(fixture.run());
  CHECK(failure.kind == FailureClass::kTransient);
  CHECK(failure.timed_out);
  CHECK(failure.bytes_streamed == 2);
  CHECK(fixture.took < milliseconds(2700));
  const auto pid = base::read_file(file, 100);
  REQUIRE(pid.has_value());
  ::unlink(file.c_str());
  CHECK(dies(pid->substr(0, pid->size() - 1)));
}

TEST_CASE("a command that ends on SIGTERM is not waited for longer") {
  ExecFixture fixture("sleep 60");
  fixture.timeouts.total = milliseconds(100);
  CHECK(failure_of(fixture.run()).timed_out);
  CHECK(fixture.took < milliseconds(1000));
}

TEST_CASE("X5: a command need not read its input") {
  ExecFixture fixture("exec 0<&-; echo fine");
  fixture.prompt.messages[0].text.assign(size_t{1} << 20, 'x');
  CHECK(reply_of(fixture.run()).text == "fine\n");
}

TEST_CASE("X6: stderr may be of any length") {
  ExecFixture fixture(
      "echo a; head -c 20000000 /dev/zero | tr '\\0' x >&2; echo b; "
      "echo last >&2; exit 1");
  const core::Failure failure = failure_of(fixture.run());
  CHECK(fixture.text == "a\nb\n");
  CHECK(failure.message.ends_with("last"));
  CHECK(failure.message.size() < 1000);
}

TEST_CASE("X7: endless output stops at the limit") {
  ExecFixture fixture("yes");
  const core::Failure failure = failure_of(fixture.run());
  CHECK(failure.kind == FailureClass::kProtocol);
  CHECK(failure.cause == "answer too large");
  CHECK(fixture.text.size() <= kMaxAnswerBytes);
}

TEST_CASE("X8: a daemon that holds the pipes is waited for 1 s at most") {
  ExecFixture fixture("setsid sleep 5 & echo a");
  CHECK(reply_of(fixture.run()).text == "a\n");
  CHECK(fixture.took < milliseconds(1600));
}

TEST_CASE("X9: no key and no descriptor but 0, 1, 2 reach the command") {
  ::setenv("LLMROUTE_TEST_KEY", "sk-secret", 1);
  ::setenv("LLMROUTE_TEST_PASSED", "yes", 1);
  const base::Descriptor extra(::dup(2));
  ExecFixture fixture("env; ls /proc/self/fd");
  fixture.provider.pass_env = {"LLMROUTE_TEST_PASSED"};
  const core::Reply reply = reply_of(fixture.run());
  CHECK(reply.text.find("sk-secret") == std::string::npos);
  CHECK(reply.text.find("LLMROUTE_TEST_PASSED=yes") != std::string::npos);
  CHECK(reply.text.find("PATH=") != std::string::npos);
  // The 3 is ls itself, reading the folder.
  CHECK(reply.text.ends_with("\n0\n1\n2\n3\n"));
  ::unsetenv("LLMROUTE_TEST_KEY");
  ::unsetenv("LLMROUTE_TEST_PASSED");
}

TEST_CASE("X11: there is no terminal to reach") {
  ExecFixture fixture("(: > /dev/tty) 2>/dev/null && echo open || echo none");
  CHECK(reply_of(fixture.run()).text == "none\n");
}

TEST_CASE("X12: output that is not UTF-8 is repaired and told") {
  ExecFixture half("printf 'a\\342\\202'");
  const core::Reply cut = reply_of(half.run());
  CHECK(cut.text == "a\xEF\xBF\xBD");
  CHECK(cut.repaired_utf8);
  ExecFixture split("printf '\\342'; sleep 0.1; printf '\\202\\254'");
  const core::Reply whole = reply_of(split.run());
  CHECK(whole.text == "\xE2\x82\xAC");
  CHECK_FALSE(whole.repaired_utf8);
}

TEST_CASE("signals that we ignore are not ignored there") {
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, &before);
  ExecFixture fixture("kill -PIPE $$; echo ignored");
  CHECK(failure_of(fixture.run()).cause == "signal 13");
  sigaction(SIGPIPE, &before, nullptr);
}

TEST_CASE("G8: exit statuses arrive although SIGCHLD was ignored") {
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGCHLD, &ignore, &before);
  ExecFixture fixture("exit 75");
  CHECK(failure_of(fixture.run()).cause == "exit 75");
  sigaction(SIGCHLD, &before, nullptr);
}

TEST_CASE("on a thread of its own a call without memory fails") {
  ExecFixture fixture("echo a; sleep 60");
  const Call call{fixture.provider,
                  fixture.model,
                  fixture.prompt,
                  {},
                  0,
                  true,
                  fixture.timeouts,
                  {}};
  const auto begin = steady_clock::now();
  const Failure failure = failure_of(call_on_thread(
      call, [](std::string_view) -> bool { throw std::bad_alloc(); }));
  CHECK(failure.kind == FailureClass::kLocal);
  CHECK(failure.cause == "no memory");
  CHECK(steady_clock::now() - begin < std::chrono::seconds(30));
}

TEST_CASE("a cancelled call and a sink that has had enough end the command") {
  ExecFixture cancelled("echo a; sleep 60");
  cancelled.cancelled = true;
  CHECK(failure_of(cancelled.run()).kind == FailureClass::kCancelled);
  CHECK(cancelled.took < milliseconds(1000));
  ExecFixture enough("echo a; sleep 60");
  enough.wanted = 0;
  CHECK(failure_of(enough.run()).kind == FailureClass::kCancelled);
  CHECK(enough.took < milliseconds(1000));
}

TEST_CASE("dry run shows the command and its input") {
  ExecFixture fixture("cat");
  fixture.prompt.system = "S";
  const Call call{
      fixture.provider, fixture.model, fixture.prompt, {}, 0, true, {}, {}};
  CHECK(describe_request(call) == "exec [\"sh\",\"-c\",\"cat\"]\n\nS\n\nHi\n");
}

}  // namespace
}  // namespace llmroute::provider
