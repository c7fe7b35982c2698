#include "base/pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace llmroute::base {

int open_pipe(Pipe& pipe) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno;
  pipe.read = Descriptor(ends[0]);
  pipe.write = Descriptor(ends[1]);
  return 0;
}

}  // namespace llmroute::base
