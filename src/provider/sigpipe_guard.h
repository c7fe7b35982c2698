// Holds SIGPIPE back while this thread writes to sockets and pipes whose reader
// may leave, whatever the process has decided about the signal. One that became
// pending meanwhile is taken away.
#pragma once

#include <signal.h>

namespace llmroute::provider {

// One thread; lives on its stack.
class SigpipeGuard {
 public:
  SigpipeGuard();
  ~SigpipeGuard();
  SigpipeGuard(const SigpipeGuard&) = delete;
  SigpipeGuard& operator=(const SigpipeGuard&) = delete;

 private:
  sigset_t before_{};
  bool was_pending_ = false;
};

}  // namespace llmroute::provider
