// Work on several threads whose result does not depend on their number.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "base/threads.h"

namespace llmroute::learning {

// Sums are kept per part and added in order, whoever computes them.
inline constexpr size_t kParts = 4;

// Calls work(begin, end, part) for kParts equal parts of 0 .. count - 1 on up
// to `threads` threads, this one included, and waits for all.
template <class Work>
void in_parts(size_t count, int threads, const Work& work) {
  const auto used = std::clamp<size_t>(static_cast<size_t>(threads), 1, kParts);
  base::on_threads(used, [&](size_t first) {
    for (size_t part = first; part < kParts; part += used) {
      work(count * part / kParts, count * (part + 1) / kParts, part);
    }
  });
}

// The sum of a function over 0 .. count - 1 and its gradient, which is set.
// add(begin, end, sum) adds a part's gradient to `sum`, which starts at 0, and
// returns its value. Keeps the parts' gradients between calls.
class PartialSums {
 public:
  explicit PartialSums(size_t variables)
      : sums_(kParts, std::vector<double>(variables)), values_(kParts) {}

  template <class Add>
  double operator()(size_t count, int threads, std::span<double> gradient,
                    const Add& add) {
    in_parts(count, threads, [&](size_t begin, size_t end, size_t part) {
      std::fill(sums_[part].begin(), sums_[part].end(), 0.0);
      values_[part] = add(begin, end, std::span<double>(sums_[part]));
    });
    std::fill(gradient.begin(), gradient.end(), 0.0);
    double value = 0;
    for (size_t part = 0; part < kParts; ++part) {
      value += values_[part];
      for (size_t i = 0; i < gradient.size(); ++i) {
        gradient[i] += sums_[part][i];
      }
    }
    return value;
  }

 private:
  std::vector<std::vector<double>> sums_;
  std::vector<double> values_;
};

}  // namespace llmroute::learning
