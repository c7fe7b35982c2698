// Calls of one request that run at the same time, each on a thread of its own.
// The first from which anything comes is the winner: its text is handed on, the
// others are cancelled.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "base/files.h"
#include "provider/call.h"

namespace llmroute::app {

// Used by one thread, on which the sink is called and signals arrive.
class Race {
 public:
  struct Finish {
    provider::CallResult result;
    std::chrono::milliseconds took{0};
    std::chrono::milliseconds first_token{0};  // 0: no text came
    bool won = false;                          // something came of it first
    bool outrun = false;  // another won; `result` may be an answer even so
  };

  // `cancel` ends them all. `sink` takes the winner's text, in finish().
  Race(provider::Cancel cancel, provider::TextSink sink);
  // Cancels and waits for what still runs.
  ~Race();
  Race(const Race&) = delete;
  Race& operator=(const Race&) = delete;

  // Begins a call. False: something has come from another, all are cancelled,
  // or no thread is to be had. What the call refers to is borrowed; its own
  // cancel is not looked at.
  bool start(provider::Call call);
  // Waits for something to come, an end or a cancellation, but only so long.
  // True: nothing did.
  bool silent_for(std::chrono::milliseconds time);
  // Hands on what comes until all have ended. In the order of their begin.
  std::vector<Finish> finish();

 private:
  using Clock = std::chrono::steady_clock;
  struct Runner {
    explicit Runner(provider::Call given) : call(std::move(given)) {}
    provider::Call call;
    std::atomic<bool> cancelled{false};
    base::Descriptor wake;
    Clock::time_point begun;
    std::thread thread;
    // Under the mutex:
    Finish finish;
    bool ended = false;
    std::optional<std::string_view> text;  // that waits to be handed on
    bool wanted = true;                    // the last one was
  };

  void run(Runner& runner);
  bool take(Runner& runner, std::string_view text);
  void win(Runner& runner);
  void cancel(Runner& runner);
  void cancel_all();
  bool silent() const;  // REQUIRES: the mutex is held
  bool still_silent();
  bool all_ended();
  void hand_on();
  bool wait_until(std::optional<Clock::time_point> then);

  const provider::Cancel cancel_;
  const provider::TextSink sink_;
  base::Descriptor news_;
  bool cancelled_ = false;                        // all of them
  std::vector<std::unique_ptr<Runner>> runners_;  // changed without a runner's
  std::mutex mutex_;                              // knowing: under this mutex
  Runner* winner_ = nullptr;                      // as this is
  std::condition_variable handed_on_;
};

}  // namespace llmroute::app
