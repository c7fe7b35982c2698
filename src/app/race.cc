#include "app/race.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

#include "base/event.h"

namespace llmroute::app {
namespace {

using std::chrono::milliseconds;

// Threads that are begun while it lives leave interrupts to the others.
class InterruptsBlocked {
 public:
  InterruptsBlocked() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
    pthread_sigmask(SIG_BLOCK, &set, &before_);
  }
  ~InterruptsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  InterruptsBlocked(const InterruptsBlocked&) = delete;
  InterruptsBlocked& operator=(const InterruptsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

Race::Race(provider::Cancel cancel, provider::TextSink sink)
    : cancel_(cancel), sink_(std::move(sink)), news_(base::new_event()) {}

Race::~Race() {
  cancel_all();
  for (const auto& runner : runners_) {
    if (runner->thread.joinable()) runner->thread.join();
  }
}

bool Race::start(provider::Call call) {
  auto owned = std::make_unique<Runner>(std::move(call));
  Runner& runner = *owned;
  runner.wake = base::new_event();
  runner.call.cancel = {&runner.cancelled, runner.wake.get()};
  if (!news_.valid() || !runner.wake.valid()) return false;
  {
    const std::lock_guard lock(mutex_);
    if (!silent()) return false;
    runners_.push_back(std::move(owned));  // a winner cancels it from here on
  }
  runner.begun = Clock::now();
  try {
    const InterruptsBlocked blocked;
    runner.thread = std::thread([this, &runner] { run(runner); });
    return true;
  } catch (const std::system_error&) {
    const std::lock_guard lock(mutex_);
    runners_.pop_back();
    return false;
  }
}

void Race::run(Runner& runner) {
  provider::CallResult result = provider::call_on_thread(
      runner.call,
      [this, &runner](std::string_view text) { return take(runner, text); });
  const auto took = Clock::now() - runner.begun;
  const std::lock_guard lock(mutex_);
  if (std::holds_alternative<core::Reply>(result)) win(runner);
  runner.finish.result = std::move(result);
  runner.finish.took = std::chrono::duration_cast<milliseconds>(took);
  runner.finish.won = winner_ == &runner;
  runner.finish.outrun = winner_ != nullptr && winner_ != &runner;
  runner.ended = true;
  base::tell(news_);
}

bool Race::take(Runner& runner, std::string_view text) {
  const auto after =
      std::chrono::duration_cast<milliseconds>(Clock::now() - runner.begun);
  std::unique_lock lock(mutex_);
  win(runner);
  if (winner_ != &runner) return false;
  if (text.empty()) return true;
  if (runner.finish.first_token.count() == 0) {
    runner.finish.first_token = std::max(milliseconds(1), after);
  }
  runner.text = text;
  base::tell(news_);
  handed_on_.wait(lock, [&] { return !runner.text || runner.cancelled; });
  runner.text.reset();
  return runner.wanted && !runner.cancelled;
}

// If nobody has yet.
void Race::win(Runner& runner) {
  if (winner_ != nullptr) return;
  winner_ = &runner;
  for (const auto& other : runners_) {
    if (other.get() != &runner) cancel(*other);
  }
  base::tell(news_);
}

void Race::cancel(Runner& runner) {
  runner.cancelled = true;
  base::tell(runner.wake);
}

void Race::cancel_all() {
  const std::lock_guard lock(mutex_);
  for (const auto& runner : runners_) cancel(*runner);
  handed_on_.notify_all();
}

bool Race::silent() const {
  return winner_ == nullptr && !cancelled_ && !cancel_.requested() &&
         std::ranges::none_of(runners_,
                              [](const auto& one) { return one->ended; });
}

bool Race::still_silent() {
  const std::lock_guard lock(mutex_);
  return silent();
}

bool Race::all_ended() {
  const std::lock_guard lock(mutex_);
  return std::ranges::all_of(runners_,
                             [](const auto& one) { return one->ended; });
}

void Race::hand_on() {
  std::unique_lock lock(mutex_);
  // One that was cancelled does not wait, and its text goes with it. Only this
  // thread cancels the winner.
  if (winner_ == nullptr || !winner_->text || winner_->cancelled) return;
  const std::string_view text = *winner_->text;
  lock.unlock();  // it waits
  const bool wanted = sink_(text);
  lock.lock();
  winner_->wanted = wanted;
  winner_->text.reset();
  handed_on_.notify_all();
}

// For news, or a cancellation, which is passed on. False: the time is over.
bool Race::wait_until(std::optional<Clock::time_point> then) {
  int left = -1;
  if (then) {
    const auto time = std::chrono::ceil<milliseconds>(*then - Clock::now());
    if (time.count() <= 0) return false;
    left = static_cast<int>(std::min<int64_t>(time.count(), 1'000'000));
  }
  const int wake = cancelled_ ? -1 : cancel_.wake_fd;
  std::array<pollfd, 2> fds = {{{news_.get(), POLLIN, 0}, {wake, POLLIN, 0}}};
  if (cancelled_ || !cancel_.requested()) {
    ::poll(fds.data(), fds.size(), left);
  }
  uint64_t count = 0;
  (void)!::read(news_.get(), &count, sizeof count);
  if (!cancelled_ && cancel_.requested()) {
    cancelled_ = true;
    cancel_all();
  }
  return true;
}

bool Race::silent_for(milliseconds time) {
  const auto then = Clock::now() + time;
  while (still_silent()) {
    if (!wait_until(then)) return still_silent();
  }
  return false;
}

std::vector<Race::Finish> Race::finish() {
  while (!all_ended()) {
    hand_on();
    if (!all_ended()) wait_until(std::nullopt);
  }
  std::vector<Finish> all;
  for (const auto& runner : runners_) {
    runner->thread.join();
    all.push_back(std::move(runner->finish));
  }
  return all;
}

}  // namespace llmroute::app
