#include "base/files.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <thread>

#include "../config/temporary.h"

namespace llmroute::base {
namespace {

constexpr size_t kLarge = size_t{64} << 20;

// As soon as a file is being made in the directory, a thread that blocks no
// signal is sent one.
[[noreturn]] void replace_and_be_ended(const std::string& directory) {
  ::signal(SIGTERM, SIG_DFL);  // the tests' own handler is left behind
  std::thread([directory] {
    std::error_code error;
    while (std::filesystem::is_empty(directory, error))
      std::this_thread::yield();
    ::pthread_kill(::pthread_self(), SIGTERM);
    ::pause();
  }).detach();
  (void)replace_file(directory + "/out", std::string(kLarge, 'x'));
  for (;;) ::pause();
}

}  // namespace

TEST_CASE("a signal to another thread leaves no temporary of a replaced file") {
  const config::TemporaryDirectory directory;
  const pid_t child = ::fork();
  if (child == 0) replace_and_be_ended(directory.path());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGTERM);
  size_t files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(directory.path())) {
    ++files;
    CHECK(entry.path().filename() == "out");
    CHECK(entry.file_size() == kLarge);
  }
  CHECK(files == 1);
}

TEST_CASE("signals that are ignored stay so while a file is replaced") {
  const config::TemporaryDirectory directory;
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGHUP, SIG_IGN);
    (void)replace_file(directory.file("out"), "x");
    ::raise(SIGHUP);
    ::_exit(7);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
}

}  // namespace llmroute::base
