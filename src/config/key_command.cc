#include "config/key_command.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "base/clock.h"
#include "base/pipe.h"

extern char** environ;

namespace llmroute::config {
namespace {

using base::ErrorKind;
using std::chrono::milliseconds;

constexpr size_t kMaxOutput = size_t{64} << 10;
// How long to wait for the exit status between two looks at it.
constexpr milliseconds kTick{20};
// A process left behind may keep the pipe open.
constexpr milliseconds kAfterExit{1000};

// Attributes and actions of posix_spawn, destroyed once.
class SpawnSetup {
 public:
  SpawnSetup(int input, int output) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    ::posix_spawnattr_init(&attributes_);
    sigset_t none{}, all{};
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK |
                                                 POSIX_SPAWN_SETSIGDEF |
                                                 POSIX_SPAWN_SETSID);
  }
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  int spawn(pid_t& child, const std::vector<std::string>& command) {
    std::vector<char*> argv;
    for (const std::string& word : command) {
      argv.push_back(const_cast<char*>(word.c_str()));
    }
    argv.push_back(nullptr);
    return ::posix_spawnp(&child, argv[0], &actions_, &attributes_, argv.data(),
                          environ);
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  ~Child() {
    ::kill(-pid_, SIGKILL);
    while (!status_ && ::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // The wait status, once it has ended.
  std::optional<int> status() {
    int status = 0;
    if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
      status_ = status;
    }
    return status_;
  }

 private:
  pid_t pid_;
  std::optional<int> status_;
};

// Waits up to `wait` for output and takes it. False at the end of it.
bool take_output(int fd, milliseconds wait, std::string& out) {
  pollfd one{fd, POLLIN, 0};
  if (::poll(&one, 1, static_cast<int>(wait.count())) <= 0) return true;
  std::array<char, 4096> buffer{};
  const ssize_t got = ::read(fd, buffer.data(), buffer.size());
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  const auto count = static_cast<size_t>(got);
  if (out.size() < kMaxOutput) out.append(buffer.data(), count);
  ::explicit_bzero(buffer.data(), buffer.size());
  return got > 0;
}

void wait_a_tick() { ::poll(nullptr, 0, static_cast<int>(kTick.count())); }

// Until the command has ended and its output too. Nothing: out of time.
std::optional<int> follow(Child& child, int fd, milliseconds limit,
                          std::string& out) {
  const base::SystemClock clock;
  const auto end = clock.now() + limit;
  auto drained_by = end + kAfterExit;
  bool open = true;
  for (;;) {
    const std::optional<int> status = child.status();
    const auto now = clock.now();
    if (status && !open) return status;
    if (status) drained_by = std::min(drained_by, now + kAfterExit);
    if (status && now >= drained_by) return status;
    if (!status && now >= end) return std::nullopt;
    if (open) {
      open = take_output(fd, kTick, out);
    } else {
      wait_a_tick();
    }
  }
}

base::Error failed(const std::string& command, const std::string& why) {
  return {ErrorKind::kNoPermission,
          fmt::format("key command '{}' {}", command, why)};
}

base::Status check_status(const std::string& command, int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (WIFEXITED(status)) {
    return failed(
        command, fmt::format("ended with exit status {}", WEXITSTATUS(status)));
  }
  return failed(command, fmt::format("died of signal {}", WTERMSIG(status)));
}

}  // namespace

base::Result<std::string> run_key_command(
    const std::vector<std::string>& command, milliseconds limit) {
  base::Pipe input, output;
  if (command.empty() || base::open_pipe(input) != 0 ||
      base::open_pipe(output) != 0) {
    return base::Error{ErrorKind::kOs, "cannot run the key command"};
  }
  input.write.reset();  // there is nothing to read
  SpawnSetup setup(input.read.get(), output.write.get());
  pid_t pid = -1;
  if (const int error = setup.spawn(pid, command)) {
    return failed(command[0], "cannot be run: " + base::errno_text(error));
  }
  output.write.reset();
  Child child(pid);
  std::string text;
  const std::optional<int> status =
      follow(child, output.read.get(), limit, text);
  if (!status) {
    return failed(command[0],
                  fmt::format("did not end within {} ms", limit.count()));
  }
  LLMROUTE_CHECK(check_status(command[0], *status));
  return text;
}

}  // namespace llmroute::config
