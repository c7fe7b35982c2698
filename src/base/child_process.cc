#include "base/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/pipe.h"

namespace llmroute::base {
namespace {

void do_not_block(const Descriptor& fd) {
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

// With SIGCHLD ignored, which a parent may have left us, exit statuses are
// lost.
void keep_exit_statuses() {
  struct sigaction action {};
  sigaction(SIGCHLD, nullptr, &action);
  if (action.sa_handler != SIG_IGN) return;
  action.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &action, nullptr);
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (const std::string& text : texts) {
    list.push_back(const_cast<char*>(text.c_str()));
  }
  list.push_back(nullptr);
  return list;
}

struct Actions {
  Actions() { posix_spawn_file_actions_init(&value); }
  ~Actions() { posix_spawn_file_actions_destroy(&value); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  posix_spawn_file_actions_t value{};
};

struct Attributes {
  Attributes() { posix_spawnattr_init(&value); }
  ~Attributes() { posix_spawnattr_destroy(&value); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  posix_spawnattr_t value{};
};

void set_attributes(Attributes& attributes) {
  sigset_t none;
  sigemptyset(&none);
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes.value, &none);
  posix_spawnattr_setsigdefault(&attributes.value, &all);
  posix_spawnattr_setflags(&attributes.value, POSIX_SPAWN_SETSIGMASK |
                                                  POSIX_SPAWN_SETSIGDEF |
                                                  POSIX_SPAWN_SETSID);
}

// The pipes' ends may be 0 to 2 themselves if the process was started with
// some of them closed, so they are first moved out of the way.
int lift(Descriptor& fd) {
  if (fd.get() > 2) return 0;
  const int higher = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3);
  if (higher < 0) return errno;
  fd = Descriptor(higher);
  return 0;
}

}  // namespace

std::variant<ChildProcess, int> ChildProcess::start(
    const std::vector<std::string>& argv,
    const std::vector<std::string>& environment, bool errors_piped) {
  Pipe in, out, err;
  for (Pipe* pipe : {&in, &out, &err}) {
    if (pipe == &err && !errors_piped) continue;
    if (const int error = open_pipe(*pipe)) return error;
  }
  for (Descriptor* fd : {&in.read, &out.write, &err.write}) {
    if (const int error = fd->valid() ? lift(*fd) : 0) return error;
  }
  keep_exit_statuses();
  Attributes attributes;
  set_attributes(attributes);
  Actions actions;
  posix_spawn_file_actions_adddup2(&actions.value, in.read.get(), 0);
  posix_spawn_file_actions_adddup2(&actions.value, out.write.get(), 1);
  if (errors_piped) {
    posix_spawn_file_actions_adddup2(&actions.value, err.write.get(), 2);
  }
  posix_spawn_file_actions_addclosefrom_np(&actions.value, 3);
  ChildProcess child;
  const int error = posix_spawnp(&child.pid_, argv[0].c_str(), &actions.value,
                                 &attributes.value, pointers(argv).data(),
                                 pointers(environment).data());
  if (error != 0) {
    child.pid_ = -1;
    return error;
  }
  child.end_fd_ =
      Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, child.pid_, 0)));
  child.input = std::move(in.write);
  child.output = std::move(out.read);
  child.errors = std::move(err.read);
  for (const Descriptor* fd : {&child.input, &child.output, &child.errors}) {
    if (fd->valid()) do_not_block(*fd);
  }
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : input(std::move(other.input)),
      output(std::move(other.output)),
      errors(std::move(other.errors)),
      pid_(std::exchange(other.pid_, -1)),
      end_fd_(std::move(other.end_fd_)) {}

ChildProcess::~ChildProcess() {
  if (pid_ < 0) return;
  signal_group(SIGKILL);
  wait();
}

bool ChildProcess::ended() const {
  siginfo_t info{};
  const int result = ::waitid(P_PID, static_cast<id_t>(pid_), &info,
                              WEXITED | WNOHANG | WNOWAIT);
  return result != 0 || info.si_pid == pid_;
}

void ChildProcess::signal_group(int signal) const { ::kill(-pid_, signal); }

ChildEnd ChildProcess::wait() {
  int status = 0;
  pid_t result = 0;
  do {
    result = ::waitpid(pid_, &status, 0);
  } while (result < 0 && errno == EINTR);
  pid_ = -1;
  if (result < 0) return {.exit_status = -1, .signal = 0};
  if (WIFSIGNALED(status))
    return {.exit_status = 0, .signal = WTERMSIG(status)};
  return {.exit_status = WEXITSTATUS(status), .signal = 0};
}

}  // namespace llmroute::base
