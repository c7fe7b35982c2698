// One piece of work on several threads, as many as there are to be had.
#pragma once

#include <cstddef>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace llmroute::base {

// Calls work(0) .. work(count - 1), the first on this thread and each other on
// one of its own, and waits for all. What no thread can be had for is done on
// this one, last. The first exception of any is thrown here.
template <class Work>
void on_threads(size_t count, const Work& work) {
  if (count == 0) return;
  std::mutex mutex;
  std::exception_ptr thrown;
  const auto guarded = [&](size_t index) {
    try {
      work(index);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!thrown) thrown = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    size_t started = 1;
    try {
      others.reserve(count);
      for (; started < count; ++started) others.emplace_back(guarded, started);
    } catch (const std::system_error&) {
      // No more threads.
    }
    guarded(0);
    for (; started < count; ++started) guarded(started);
  }
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace llmroute::base
