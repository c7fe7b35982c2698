// Moves the wall clock of a process under test, also while it runs: preloaded,
// it adds the seconds that the file named by LLMROUTE_TEST_CLOCK holds, a
// signed 64-bit number. Other clocks go on as they are.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace {

const volatile int64_t* open_offset() {
  const char* path = std::getenv("LLMROUTE_TEST_CLOCK");
  const int file = path == nullptr ? -1 : ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return nullptr;
  void* memory =
      ::mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  ::close(file);
  return memory == MAP_FAILED ? nullptr : static_cast<int64_t*>(memory);
}

time_t offset() {
  static const volatile int64_t* const seconds = open_offset();
  return seconds == nullptr ? 0 : static_cast<time_t>(*seconds);
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
  const auto result =
      static_cast<int>(::syscall(SYS_clock_gettime, clock, now));
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) {
    now->tv_sec += offset();
  }
  return result;
}

extern "C" int gettimeofday(timeval* now, void*) noexcept {
  timespec precise{};
  clock_gettime(CLOCK_REALTIME, &precise);
  *now = {precise.tv_sec, precise.tv_nsec / 1000};
  return 0;
}

extern "C" time_t time(time_t* copy) noexcept {
  timespec precise{};
  clock_gettime(CLOCK_REALTIME, &precise);
  if (copy != nullptr) *copy = precise.tv_sec;
  return precise.tv_sec;
}
