// Work on several threads whose result does not depend on their number.
#pragma once

#include <algorithm>
#include <cstddef>
#include <thread>
#include <vector>

namespace llmroute::learning {

// Sums are kept per part and added in order, whoever computes them.
inline constexpr size_t kParts = 4;

// Calls work(begin, end, part) for kParts equal parts of 0 .. count - 1 on up
// to `threads` threads, this one included, and waits for all.
template <class Work>
void in_parts(size_t count, int threads, const Work& work) {
  const auto used = std::clamp<size_t>(static_cast<size_t>(threads), 1, kParts);
  const auto run = [&](size_t first) {
    for (size_t part = first; part < kParts; part += used) {
      work(count * part / kParts, count * (part + 1) / kParts, part);
    }
  };
  std::vector<std::jthread> others;
  for (size_t t = 1; t < used; ++t) others.emplace_back(run, t);
  run(0);
}

}  // namespace llmroute::learning
