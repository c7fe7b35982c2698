#include "app/bench_status.h"

#include <fmt/format.h>
#include <signal.h>

#include <system_error>
#include <utility>

#include "base/text.h"

namespace llmroute::app {
namespace {

sigset_t status_signal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  return set;
}

}  // namespace

BenchStatus::BenchStatus(const Messages& messages)
    : messages_(messages), start_(std::chrono::steady_clock::now()) {
  const sigset_t blocked = status_signal();
  pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  try {
    thread_ = std::thread([this] { answer(); });
  } catch (const std::system_error&) {
    // No thread to be had: nobody answers.
  }
}

BenchStatus::~BenchStatus() {
  if (!thread_.joinable()) return;
  over_ = true;
  pthread_kill(thread_.native_handle(), SIGUSR1);
  thread_.join();
}

void BenchStatus::begin(std::string phase) {
  const std::lock_guard lock(mutex_);
  phase_ = std::move(phase);
  rows_ = 0;
}

void BenchStatus::answer() const {
  const sigset_t awaited = status_signal();
  int signal = 0;
  while (sigwait(&awaited, &signal) == 0 && !over_) messages_.note(line());
}

std::string BenchStatus::line() const {
  const std::chrono::duration<double> elapsed =
      std::chrono::steady_clock::now() - start_;
  const int64_t rows = rows_;
  const std::lock_guard lock(mutex_);
  std::string text = phase_;
  if (rows > 0) text += fmt::format(", {} rows", base::with_thousands(rows));
  return text + fmt::format(", {:.1f} s", elapsed.count());
}

}  // namespace llmroute::app
