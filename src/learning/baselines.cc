#include "learning/baselines.h"

#include <algorithm>
#include <cmath>

#include "learning/logistic.h"

namespace llmroute::learning {
namespace {

double feature(double bytes) { return std::log1p(bytes) - 5.5; }

}  // namespace

double LengthOnly::probability(double bytes) const {
  return sigmoid(intercept + slope * feature(bytes));
}

LengthOnly fit_length_only(std::span<const LengthRow> rows) {
  constexpr int kIterations = 25;
  constexpr double kPull = 1;
  LengthOnly fit;
  for (int i = 0; i < kIterations; ++i) {
    double g0 = kPull * fit.intercept, g1 = kPull * fit.slope;
    double h00 = kPull, h01 = 0, h11 = kPull;
    for (const LengthRow& row : rows) {
      const double x = feature(row.bytes);
      const double p = fit.probability(row.bytes);
      const double weight = p * (1 - p);
      g0 += p - row.score;
      g1 += (p - row.score) * x;
      h00 += weight;
      h01 += weight * x;
      h11 += weight * x * x;
    }
    const double determinant = h00 * h11 - h01 * h01;
    fit.intercept -= std::clamp((h11 * g0 - h01 * g1) / determinant, -2., 2.);
    fit.slope -= std::clamp((h00 * g1 - h01 * g0) / determinant, -2., 2.);
  }
  return fit;
}

double fit_constant(std::span<const LengthRow> rows) {
  double sum = 0.5;
  for (const LengthRow& row : rows) sum += row.score;
  return sum / (static_cast<double>(rows.size()) + 1);
}

double fit_slope(std::span<const SlopePoint> points) {
  const auto says_nothing = [](const SlopePoint& p) { return p.margin == 0; };
  if (std::all_of(points.begin(), points.end(), says_nothing)) return 1;
  double low = 0.1, high = 10;
  for (int i = 0; i < 60; ++i) {
    const double slope = (low + high) / 2;
    double gradient = 0;
    for (const SlopePoint& point : points) {
      gradient += (sigmoid(slope * point.margin) - point.score) * point.margin;
    }
    (gradient > 0 ? high : low) = slope;
  }
  return (low + high) / 2;
}

}  // namespace llmroute::learning
