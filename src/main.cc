#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <new>

#include "cli/program.h"
#include "core/exit_status.h"

namespace {

// A file opened later must not become descriptor 0, 1 or 2: open() takes the
// lowest free number. A closed stdout is held by a descriptor that cannot be
// written, so that an answer for it is an error and not lost in silence.
void open_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    (void)::open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_RDWR);
  }
}

// A core file would hold keys and prompts.
void leave_no_core() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_CORE, &limit) != 0) return;
  limit.rlim_cur = 0;
  ::setrlimit(RLIMIT_CORE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_descriptors();
  leave_no_core();
  // A peer or reader that went away, or a limit on the size of files, is an
  // error to handle, not a death.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return llmroute::cli::run_program(argc, argv);
  } catch (const std::bad_alloc&) {
    constexpr char kText[] = "llmroute: out of memory\n";
    (void)!::write(STDERR_FILENO, kText, sizeof kText - 1);
    // Not by exit(): what libraries do there may need memory.
    ::_exit(static_cast<int>(llmroute::core::ExitStatus::kOs));
  } catch (const std::exception&) {
    constexpr char kText[] = "llmroute: internal error\n";
    (void)!::write(STDERR_FILENO, kText, sizeof kText - 1);
    return static_cast<int>(llmroute::core::ExitStatus::kSoftware);
  }
}
