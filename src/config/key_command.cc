#include "config/key_command.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>
#include <variant>

#include "base/child_process.h"
#include "base/clock.h"

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

std::vector<std::string> our_environment() {
  std::vector<std::string> all;
  for (char** one = environ; one != nullptr && *one != nullptr; ++one) {
    all.emplace_back(*one);
  }
  return all;
}

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

// Until the command has ended and its output too; what it left behind is killed
// then. Nothing: out of time.
std::optional<base::ChildEnd> follow(base::ChildProcess& child,
                                     milliseconds limit, std::string& out) {
  const auto end = base::now() + limit;
  auto drained_by = end + kAfterExit;
  bool open = true;
  for (;;) {
    const bool ended = child.ended();
    const auto now = base::now();
    if (ended) drained_by = std::min(drained_by, now + kAfterExit);
    if (ended && (!open || now >= drained_by)) {
      child.signal_group(SIGKILL);
      return child.wait();
    }
    if (!ended && now >= end) return std::nullopt;
    if (open) {
      open = take_output(child.output.get(), kTick, out);
    } else {
      wait_a_tick();
    }
  }
}

base::Error failed(const std::string& command, const std::string& why) {
  return {ErrorKind::kNoPermission,
          fmt::format("key command '{}' {}", command, why)};
}

base::Error cannot_run(const std::string& command, int error) {
  base::Error cannot =
      failed(command, "cannot be run: " + base::errno_text(error));
  if (error == EMFILE || error == ENFILE) cannot.kind = ErrorKind::kOs;
  return cannot;
}

base::Status check_end(const std::string& command, const base::ChildEnd& end) {
  if (end.signal != 0) {
    return failed(command, fmt::format("died of signal {}", end.signal));
  }
  if (end.exit_status == 0) return {};
  return failed(command,
                fmt::format("ended with exit status {}", end.exit_status));
}

}  // namespace

base::Result<std::string> run_key_command(
    const std::vector<std::string>& command, milliseconds limit) {
  auto started = base::ChildProcess::start(command, our_environment(), false);
  if (const int* error = std::get_if<int>(&started)) {
    return cannot_run(command[0], *error);
  }
  auto child = std::get<base::ChildProcess>(std::move(started));
  child.input.reset();  // there is nothing to read
  std::string text;
  const std::optional<base::ChildEnd> end = follow(child, limit, text);
  if (!end) {
    return failed(command[0],
                  fmt::format("did not end within {} ms", limit.count()));
  }
  LLMROUTE_CHECK(check_end(command[0], *end));
  return text;
}

}  // namespace llmroute::config
