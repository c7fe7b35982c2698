#include "base/threads.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <new>

namespace llmroute::base {
namespace {

TEST_CASE("each piece of work is done once, on however many threads") {
  for (const size_t count : {1U, 2U, 3U, 16U}) {
    CAPTURE(count);
    std::vector<int> done(count);
    on_threads(count, [&](size_t index) { ++done[index]; });
    CHECK(std::all_of(done.begin(), done.end(), [](int n) { return n == 1; }));
  }
}

TEST_CASE("an exception on any thread comes out when all have ended") {
  for (size_t thrower = 0; thrower < 4; ++thrower) {
    CAPTURE(thrower);
    std::atomic<int> ended = 0;
    const auto work = [&](size_t index) {
      if (index == thrower) throw std::bad_alloc();
      ++ended;
    };
    CHECK_THROWS_AS(on_threads(4, work), std::bad_alloc);
    CHECK(ended == 3);
  }
}

}  // namespace
}  // namespace llmroute::base
