#include "learning/hull.h"

#include <algorithm>

namespace llmroute::learning {
namespace {

constexpr double kSlack = 1e-12;

// Whether b lies on or below the line from a to c.
bool below_line(const CostPoint& a, const CostPoint& b, const CostPoint& c) {
  return (b.quality - a.quality) * (c.cost - a.cost) <=
         (c.quality - a.quality) * (b.cost - a.cost);
}

double area_to(std::span<const CostPoint> hull, double largest_cost) {
  double area = 0;
  for (size_t i = 1; i < hull.size(); ++i) {
    area += (hull[i].cost - hull[i - 1].cost) *
            (hull[i].quality + hull[i - 1].quality) / 2;
  }
  return area + (largest_cost - hull.back().cost) * hull.back().quality;
}

}  // namespace

std::vector<CostPoint> upper_hull(std::vector<CostPoint> points) {
  std::sort(points.begin(), points.end(),
            [](const CostPoint& a, const CostPoint& b) {
              return a.cost != b.cost ? a.cost < b.cost : a.quality > b.quality;
            });
  std::vector<CostPoint> hull;
  for (const CostPoint& point : points) {
    if (!hull.empty() && point.quality <= hull.back().quality) continue;
    while (hull.size() > 1 &&
           below_line(hull[hull.size() - 2], hull.back(), point)) {
      hull.pop_back();
    }
    hull.push_back(point);
  }
  return hull;
}

double aiq(std::span<const CostPoint> hull, double largest_cost) {
  return area_to(hull, largest_cost) / largest_cost;
}

double aiq_by_range(std::span<const CostPoint> hull, double largest_cost) {
  return area_to(hull, largest_cost) / (largest_cost - hull.front().cost);
}

double quality_at(std::span<const CostPoint> hull, double cost) {
  if (cost <= hull.front().cost) return hull.front().quality;
  for (size_t i = 1; i < hull.size(); ++i) {
    if (cost > hull[i].cost) continue;
    const CostPoint& a = hull[i - 1];
    const CostPoint& b = hull[i];
    return a.quality +
           (cost - a.cost) / (b.cost - a.cost) * (b.quality - a.quality);
  }
  return hull.back().quality;
}

std::optional<double> cost_at(std::span<const CostPoint> hull, double quality) {
  if (hull.front().quality >= quality - kSlack) return hull.front().cost;
  for (size_t i = 1; i < hull.size(); ++i) {
    if (hull[i].quality < quality - kSlack) continue;
    const CostPoint& a = hull[i - 1];
    const CostPoint& b = hull[i];
    const double share = (quality - a.quality) / (b.quality - a.quality);
    return a.cost + std::min(share, 1.0) * (b.cost - a.cost);
  }
  return std::nullopt;
}

}  // namespace llmroute::learning
