#include "app/race.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

namespace llmroute::app {
namespace {

using std::chrono::milliseconds;

base::Descriptor new_event() {
  return base::Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

void tell(const base::Descriptor& event) {
  const uint64_t one = 1;
  (void)!::write(event.get(), &one, sizeof one);
}

sigset_t those_that_interrupt() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  return set;
}

}  // namespace

Race::Race(provider::Cancel cancel, provider::TextSink sink)
    : cancel_(cancel), sink_(std::move(sink)), news_(new_event()) {
  pthread_sigmask(SIG_SETMASK, nullptr, &mask_);
}

Race::~Race() {
  for (const auto& runner : runners_) {
    cancel(*runner);
    if (runner->thread.joinable()) runner->thread.join();
  }
  pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
}

bool Race::start(provider::Call call, const std::function<void()>& announce) {
  const std::lock_guard lock(mutex_);
  if (winner_ != nullptr) return false;
  auto owned = std::make_unique<Runner>(std::move(call));
  Runner& runner = *owned;
  runner.wake = new_event();
  runner.call.cancel = {&runner.cancelled, runner.wake.get()};
  runner.begun = Clock::now();
  announce();
  pthread_sigmask(SIG_SETMASK, &mask_, nullptr);  // which the thread inherits
  try {
    runner.thread = std::thread([this, &runner] { run(runner); });
  } catch (const std::system_error&) {
    return false;
  }
  const sigset_t interrupts = those_that_interrupt();
  pthread_sigmask(SIG_BLOCK, &interrupts, nullptr);
  runners_.push_back(std::move(owned));
  return true;
}

void Race::run(Runner& runner) {
  provider::CallResult result = provider::call(
      runner.call,
      [this, &runner](std::string_view text) { return take(runner, text); });
  const std::lock_guard lock(mutex_);
  if (std::holds_alternative<core::Reply>(result)) win(runner);
  runner.finish.result = std::move(result);
  runner.finish.took =
      std::chrono::duration_cast<milliseconds>(Clock::now() - runner.begun);
  runner.finish.outrun = winner_ != nullptr && winner_ != &runner;
  runner.ended = true;
  tell(news_);
}

bool Race::take(Runner& runner, std::string_view text) {
  const std::lock_guard lock(mutex_);
  win(runner);
  if (winner_ != &runner) return false;
  if (text.empty()) return true;
  if (runner.finish.first_token.count() == 0) {
    runner.finish.first_token = std::max(
        milliseconds(1),
        std::chrono::duration_cast<milliseconds>(Clock::now() - runner.begun));
  }
  return sink_(text);
}

// If nobody has yet.
void Race::win(Runner& runner) {
  if (winner_ != nullptr) return;
  winner_ = &runner;
  for (const auto& other : runners_) {
    if (other.get() != &runner) cancel(*other);
  }
  tell(news_);
}

void Race::cancel(Runner& runner) {
  runner.cancelled = true;
  tell(runner.wake);
}

bool Race::wait(std::optional<Clock::time_point> then) {
  if (!told_ && cancel_.requested()) {
    told_ = true;
    const std::lock_guard lock(mutex_);
    for (const auto& runner : runners_) cancel(*runner);
  }
  int left = -1;
  if (then) {
    const auto time = std::chrono::ceil<milliseconds>(*then - Clock::now());
    if (time.count() <= 0) return false;
    left = static_cast<int>(std::min<int64_t>(time.count(), 1'000'000));
  }
  std::array<pollfd, 2> fds = {
      {{news_.get(), POLLIN, 0}, {told_ ? -1 : cancel_.wake_fd, POLLIN, 0}}};
  ::poll(fds.data(), fds.size(), left);
  uint64_t count = 0;
  (void)!::read(news_.get(), &count, sizeof count);
  return true;
}

bool Race::silent_for(milliseconds time) {
  const auto then = Clock::now() + time;
  do {
    const std::lock_guard lock(mutex_);
    const bool news = winner_ != nullptr ||
                      std::ranges::any_of(
                          runners_, [](const auto& one) { return one->ended; });
    if (news || told_) return false;
  } while (wait(then));
  return true;
}

std::vector<Race::Finish> Race::finish() {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (std::ranges::all_of(runners_,
                              [](const auto& one) { return one->ended; })) {
        break;
      }
    }
    wait(std::nullopt);
  }
  std::vector<Finish> all;
  for (const auto& runner : runners_) {
    runner->thread.join();
    all.push_back(std::move(runner->finish));
  }
  return all;
}

}  // namespace llmroute::app
