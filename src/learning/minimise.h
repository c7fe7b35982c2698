// Minimises smooth convex functions of many variables by L-BFGS: a limited
// memory of past steps stands for the curvature (Nocedal and Wright, Numerical
// Optimization, 2nd ed., algorithm 7.5), backtracking until the decrease is
// sufficient. Deterministic.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace llmroute::learning {

// Returns the value at `x` and sets `gradient`, of the same size.
using Objective = std::function<double(std::span<const double> x,
                                       std::span<double> gradient)>;

struct MinimiseOptions {
  // About how strongly the value curves in each variable (the diagonal of the
  // Hessian, positive), which makes steps fit all of them; empty: all alike.
  std::span<const double> curvature;
  uint32_t iterations = 200;  // at most
  // Converged when the gradient's norm falls to this share of that at the start
  // or the last ten steps gained less than `gain` of the value each.
  double tolerance = 1e-4;
  double gain = 1e-3;
  size_t memory = 8;  // steps; more cost time each and save some of them
  // Told after each iteration; may be empty.
  std::function<void(uint32_t iteration, double value)> progress;
};

struct Minimum {
  double value = 0;
  uint32_t iterations = 0;
  bool converged = false;
};

// Starts at `x` and leaves the best point found there.
Minimum minimise(const Objective& objective, std::vector<double>& x,
                 const MinimiseOptions& options);

}  // namespace llmroute::learning
