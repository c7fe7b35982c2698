// SIGINT, SIGTERM and SIGHUP during a call: the first asks for cancellation, a
// second ends the process at once. After cleaning up the
// process dies by the signal, so that the shell sees a signal death.
#pragma once

#include "provider/call.h"

namespace llmroute::app {

// Installs handlers while it lives; at most one at a time. A SIGHUP that was
// ignored at the start (nohup) stays so.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  provider::Cancel cancel() const;
  bool interrupted() const;
  int signal() const;  // that interrupted it; 0: none
  // Ends the process by the signal that interrupted it. REQUIRES:
  // interrupted().
  [[noreturn]] void die() const;
};

// Ends the process by `signal`, as if it had not been caught or ignored:
// silent, status 128 + its number in the shell, so 141 for SIGPIPE.
[[noreturn]] void die_by_signal(int signal);

}  // namespace llmroute::app
