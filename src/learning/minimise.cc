#include "learning/minimise.h"

#include <cmath>
#include <deque>
#include <utility>

namespace llmroute::learning {
namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

void add_scaled(Vector& to, double factor, const Vector& what) {
  for (size_t i = 0; i < to.size(); ++i) to[i] += factor * what[i];
}

Vector difference(const Vector& a, const Vector& b) {
  Vector result(a);
  add_scaled(result, -1, b);
  return result;
}

// Past steps, newest last, and what they say of the curvature.
class Memory {
 public:
  Memory(std::span<const double> curvature, size_t size)
      : curvature_(curvature), size_(size) {}

  void remember(Vector step, Vector change) {
    const double product = dot(step, change);
    if (!(product > 1e-12 * dot(change, change))) return;  // no curvature seen
    Vector scaled = change;
    apply_curvature(scaled, 1);
    scale_ = product / dot(change, scaled);
    steps_.push_back({std::move(step), std::move(change), 1 / product});
    if (steps_.size() > size_) steps_.pop_front();
  }

  // Turns a gradient into the direction to go in.
  void turn(Vector& v) const {
    for (double& value : v) value = -value;
    if (steps_.empty()) return apply_curvature(v, 1);
    Vector share(steps_.size());
    for (size_t i = steps_.size(); i-- > 0;) {
      share[i] = steps_[i].inverse * dot(steps_[i].step, v);
      add_scaled(v, -share[i], steps_[i].change);
    }
    apply_curvature(v, scale_);
    for (size_t i = 0; i < steps_.size(); ++i) {
      const double back = steps_[i].inverse * dot(steps_[i].change, v);
      add_scaled(v, share[i] - back, steps_[i].step);
    }
  }

 private:
  struct Step {
    Vector step, change;  // of the variables, of the gradient
    double inverse = 0;   // 1 / their product
  };
  // Divides by the curvature, as far as it is known.
  void apply_curvature(Vector& v, double scale) const {
    for (size_t i = 0; i < v.size(); ++i) {
      v[i] *= curvature_.empty() ? scale : scale / curvature_[i];
    }
  }

  std::span<const double> curvature_;
  size_t size_;
  double scale_ = 1;
  std::deque<Step> steps_;
};

constexpr double kSufficient = 1e-4;  // of the decrease that the slope promises
constexpr int kMostHalvings = 30;
constexpr size_t kPatience = 10;  // steps

}  // namespace

Minimum minimise(const Objective& objective, std::vector<double>& x,
                 const MinimiseOptions& options) {
  Minimum minimum;
  Vector gradient(x.size()), next_gradient(x.size()), next(x.size());
  minimum.value = objective(x, gradient);
  const double first = std::sqrt(dot(gradient, gradient));
  Memory memory(options.curvature, options.memory);
  Vector values;
  while (minimum.iterations < options.iterations) {
    if (std::sqrt(dot(gradient, gradient)) <= options.tolerance * first) {
      minimum.converged = true;
      break;
    }
    Vector direction = gradient;
    memory.turn(direction);
    const double slope = dot(gradient, direction);
    double length = 1, value = 0;
    for (int halving = 0; halving < kMostHalvings; ++halving, length /= 2) {
      next = x;
      add_scaled(next, length, direction);
      value = objective(next, next_gradient);
      if (value <= minimum.value + kSufficient * length * slope) break;
    }
    if (!(value < minimum.value)) {  // as good as arithmetic allows
      minimum.converged = true;
      break;
    }
    ++minimum.iterations;
    memory.remember(difference(next, x), difference(next_gradient, gradient));
    std::swap(x, next);
    std::swap(gradient, next_gradient);
    minimum.value = value;
    if (options.progress) options.progress(minimum.iterations, value);
    values.push_back(value);
    if (values.size() > kPatience &&
        values[values.size() - 1 - kPatience] - value <=
            static_cast<double>(kPatience) * options.gain * std::fabs(value)) {
      minimum.converged = true;
      break;
    }
  }
  return minimum;
}

}  // namespace llmroute::learning
