// Many calls at once, for a caller that waits for several things on one thread.
// Calls over HTTP share one CurlLoop; a command (exec) is waited for by a
// thread of its own.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "base/result.h"
#include "provider/call.h"

namespace llmroute::provider {

// Confined to one thread.
class CallLoop {
 public:
  // Called from turn() or cancel_all(), never from start(); may start others.
  using Done = std::function<void(CallResult)>;

  CallLoop();
  // Cancels what is running; nothing is called any more.
  ~CallLoop();
  CallLoop(const CallLoop&) = delete;
  CallLoop& operator=(const CallLoop&) = delete;

  // What the call refers to is borrowed until `done` is called; its own cancel
  // is not looked at.
  void start(Call call, Done done);
  size_t running() const;
  // Ends all calls as cancelled, commands in one of the next turns. Nothing may
  // be started after it.
  void cancel_all();

  // Readable when there is news.
  int fd() const;
  // Until turn() has something to do without news; never over a second.
  std::chrono::milliseconds timeout() const;
  // Takes the news there is and calls what is done. Does not wait.
  void turn();
  // All timers stood still for so long: the caller was held up.
  void exclude(std::chrono::nanoseconds blocked);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace llmroute::provider
