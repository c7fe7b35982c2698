// Makes allocations of a process under test fail: preloaded, it lets the one
// fail whose number LLMROUTE_TEST_FAIL_AT names ("120"), or that and all that
// follow
// ("120+"). At exit their count goes into the file LLMROUTE_TEST_ALLOCATIONS.
// What is built in: the allocator of glibc, under its own names.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

extern "C" void* __libc_malloc(size_t);
extern "C" void* __libc_calloc(size_t, size_t);
extern "C" void* __libc_realloc(void*, size_t);
extern "C" void* __libc_memalign(size_t, size_t);

namespace {

std::atomic<long> count{0};

struct Plan {
  long at = 0;  // 0: none
  bool always = false;
};

// Without allocating.
Plan read_plan() {
  Plan plan;
  const char* text = ::getenv("LLMROUTE_TEST_FAIL_AT");
  while (text != nullptr && *text >= '0' && *text <= '9') {
    plan.at = plan.at * 10 + (*text++ - '0');
  }
  plan.always = text != nullptr && *text == '+';
  return plan;
}

bool fails() {
  static const Plan plan = read_plan();
  const long number = ++count;
  const bool is_it =
      plan.at != 0 && (number == plan.at || (plan.always && number > plan.at));
  if (is_it) errno = ENOMEM;
  return is_it;
}

__attribute__((destructor)) void tell() {
  const char* path = ::getenv("LLMROUTE_TEST_ALLOCATIONS");
  if (path == nullptr) return;
  const int file = ::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  char digits[20];
  size_t at = sizeof digits;
  for (long left = count; left > 0; left /= 10) {
    digits[--at] = static_cast<char>('0' + left % 10);
  }
  (void)!::write(file, digits + at, sizeof digits - at);
  ::close(file);
}

}  // namespace

extern "C" void* malloc(size_t size) {
  return fails() ? nullptr : __libc_malloc(size);
}

extern "C" void* calloc(size_t number, size_t size) {
  return fails() ? nullptr : __libc_calloc(number, size);
}

extern "C" void* realloc(void* old, size_t size) {
  return fails() ? nullptr : __libc_realloc(old, size);
}

extern "C" void* memalign(size_t alignment, size_t size) {
  return fails() ? nullptr : __libc_memalign(alignment, size);
}

extern "C" void* aligned_alloc(size_t alignment, size_t size) {
  return memalign(alignment, size);
}

extern "C" int posix_memalign(void** memory, size_t alignment, size_t size) {
  *memory = memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}
