#include "learning/minimise.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using doctest::Approx;
using llmroute::learning::minimise;
using llmroute::learning::MinimiseOptions;
using llmroute::learning::Minimum;

namespace {

// Sum of c_i (x_i - i)^2 / 2 with curvatures from 1 to 10^6.
double bowl(std::span<const double> x, std::span<double> gradient) {
  double value = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double c = std::pow(10.0, static_cast<double>(i % 7));
    const double off = x[i] - static_cast<double>(i);
    value += c * off * off / 2;
    gradient[i] = c * off;
  }
  return value + 1;
}

}  // namespace

TEST_CASE("the bottom of a bowl is found, at once with its curvature") {
  std::vector<double> x(20), curvature;
  for (size_t i = 0; i < x.size(); ++i) {
    curvature.push_back(std::pow(10.0, static_cast<double>(i % 7)));
  }
  MinimiseOptions options;
  options.tolerance = 1e-9;
  options.gain = 0;
  options.iterations = 2000;
  const Minimum plain = minimise(bowl, x, options);
  CHECK(plain.converged);
  CHECK(plain.value == Approx(1));
  CHECK(x[13] == Approx(13).epsilon(1e-3));
  x.assign(x.size(), 0);
  options.curvature = curvature;
  const Minimum scaled = minimise(bowl, x, options);
  CHECK(scaled.converged);
  CHECK(scaled.iterations <= 2);
  CHECK(x[13] == Approx(13));
}

TEST_CASE("a convex function that is not quadratic") {
  // log(e^x + e^-x) + (x - y)^4 + y^2 / 2 - y, whose minimum has x < y < 1.
  const auto valley = [](std::span<const double> x, std::span<double> g) {
    const double off = x[0] - x[1];
    g[0] = std::tanh(x[0]) + 4 * std::pow(off, 3);
    g[1] = -4 * std::pow(off, 3) + x[1] - 1;
    return std::log(2 * std::cosh(x[0])) + std::pow(off, 4) + x[1] * x[1] / 2 -
           x[1];
  };
  std::vector<double> x = {30, -30};
  MinimiseOptions options;
  options.tolerance = 1e-12;
  options.gain = 0;
  CHECK(minimise(valley, x, options).converged);
  std::vector<double> gradient(2);
  (void)valley(x, gradient);
  CHECK(std::fabs(gradient[0]) < 1e-6);
  CHECK(std::fabs(gradient[1]) < 1e-6);
}

TEST_CASE("the number of iterations is a limit, and said not to be enough") {
  std::vector<double> x(20);
  MinimiseOptions options;
  options.iterations = 2;
  CHECK(!minimise(bowl, x, options).converged);
  CHECK(minimise(bowl, x, options).iterations == 2);
}
