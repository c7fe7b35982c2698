// Calls of one request that run at the same time, each on a thread of its own.
// The first from which anything comes is the winner: its text is handed on, the
// others are cancelled. While it lives, signals that interrupt go to those
// threads, as one of them may be blocked in a write.
#pragma once

#include <signal.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/files.h"
#include "provider/call.h"

namespace llmroute::app {

class Race {
 public:
  struct Finish {
    provider::CallResult result;
    std::chrono::milliseconds took{0};
    std::chrono::milliseconds first_token{0};  // 0: no text came
    bool outrun = false;  // another won; `result` may be an answer even so
  };

  // `cancel` ends them all. `sink` takes the winner's text, from its thread.
  Race(provider::Cancel cancel, provider::TextSink sink);
  // Cancels and waits for what still runs.
  ~Race();
  Race(const Race&) = delete;
  Race& operator=(const Race&) = delete;

  // Begins a call, unless something has come from another or no thread is to be
  // had: false. `announce` is called just before, never while `sink` is. What
  // the call refers to is borrowed; its own cancel is not looked at.
  bool start(provider::Call call, const std::function<void()>& announce);
  // Whether nothing comes of all that were begun, nor ends, for so long.
  bool silent_for(std::chrono::milliseconds time);
  // Waits for their ends. In the order in which they were begun.
  std::vector<Finish> finish();

 private:
  using Clock = std::chrono::steady_clock;
  struct Runner {
    explicit Runner(provider::Call given) : call(std::move(given)) {}
    provider::Call call;
    std::atomic<bool> cancelled{false};
    base::Descriptor wake;
    Clock::time_point begun;
    Finish finish;
    bool ended = false;
    std::thread thread;
  };

  void run(Runner& runner);
  bool take(Runner& runner, std::string_view text);
  void win(Runner& runner);
  void cancel(Runner& runner);
  // Until there is news, all are cancelled, or then. False: then.
  bool wait(std::optional<Clock::time_point> then);

  const provider::Cancel cancel_;
  const provider::TextSink sink_;
  base::Descriptor news_;
  sigset_t mask_;      // of the caller's thread
  bool told_ = false;  // all of them to stop
  std::mutex mutex_;   // of everything below, and of their `finish` and `ended`
  std::vector<std::unique_ptr<Runner>> runners_;
  const Runner* winner_ = nullptr;
};

}  // namespace llmroute::app
