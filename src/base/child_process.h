// A command in a session and process group of its own, with pipes to it: no
// terminal, descriptors 0, 1 and 2 only, default signal actions. Nothing of how
// it ends is lost where the parent left us SIGCHLD ignored.
#pragma once

#include <sys/types.h>

#include <string>
#include <variant>
#include <vector>

#include "base/files.h"

namespace llmroute::base {

// How a command ended.
struct ChildEnd {
  int exit_status = 0;  // if `signal` is 0
  int signal = 0;       // that killed it
};

// One thread. The destructor kills a group whose leader has not been waited
// for.
class ChildProcess {
 public:
  // Looks argv[0] up in PATH if it holds no slash; no shell. `environment` as
  // "NAME=value". Without a pipe for errors its stderr is ours. On failure the
  // errno. REQUIRES: argv is not empty.
  static std::variant<ChildProcess, int> start(
      const std::vector<std::string>& argv,
      const std::vector<std::string>& environment, bool errors_piped = true);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();

  // Our ends of its descriptors 0, 1, 2; they do not block.
  Descriptor input, output, errors;

  // Readable once the leader has ended; -1 on kernels without pidfd_open.
  int end_fd() const { return end_fd_.get(); }
  // The leader has ended. It stays a zombie, so its group's number is not given
  // to anyone else.
  bool ended() const;
  // To every process of the group.
  void signal_group(int signal) const;
  // Blocks until the leader has ended, then lets go of it.
  ChildEnd wait();

 private:
  ChildProcess() = default;

  pid_t pid_ = -1;  // of the leader, its group and session
  Descriptor end_fd_;
};

}  // namespace llmroute::base
