#include "app/interrupt.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>

namespace llmroute::app {
namespace {

constexpr std::array<int, 3> kSignals = {SIGINT, SIGTERM, SIGHUP};

// A handler can reach nothing but globals.
std::atomic<bool> requested{false};
std::atomic<int> caught{0};
std::array<int, 2> wake_pipe = {-1, -1};

void on_signal(int signal) {
  if (requested.load()) die_by_signal(signal);
  caught.store(signal);
  requested.store(true);
  const char byte = 1;
  (void)!::write(wake_pipe[1], &byte, 1);
}

bool ignored(int signal) {
  struct sigaction old {};
  sigaction(signal, nullptr, &old);
  return old.sa_handler == SIG_IGN;
}

}  // namespace

InterruptGuard::InterruptGuard() {
  requested = false;
  (void)!::pipe2(wake_pipe.data(), O_CLOEXEC | O_NONBLOCK);
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int signal : kSignals) {
    if (!ignored(signal)) sigaction(signal, &action, nullptr);
  }
}

InterruptGuard::~InterruptGuard() {
  for (const int signal : kSignals) {
    if (!ignored(signal)) ::signal(signal, SIG_DFL);
  }
  for (int& fd : wake_pipe) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
}

provider::Cancel InterruptGuard::cancel() const {
  return {&requested, wake_pipe[0]};
}

bool InterruptGuard::interrupted() const { return requested.load(); }

int InterruptGuard::signal() const { return caught.load(); }

void InterruptGuard::die() const { die_by_signal(caught.load()); }

void die_by_signal(int signal) {
  ::signal(signal, SIG_DFL);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, signal);
  sigprocmask(SIG_UNBLOCK, &one, nullptr);
  ::raise(signal);
  std::_Exit(128 + signal);  // only if the signal is somehow blocked
}

}  // namespace llmroute::app
