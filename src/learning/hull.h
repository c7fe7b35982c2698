// Quality against cost: what mixing a few ways to route can reach.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace llmroute::learning {

struct CostPoint {
  double cost = 0;     // mean, dollars a prompt
  double quality = 0;  // mean
};

// The non-decreasing upper hull, cheapest first: each pair of neighbours can be
// mixed at random to reach what lies between. Of points of equal cost the best
// counts. REQUIRES: a point.
std::vector<CostPoint> upper_hull(std::vector<CostPoint> points);

// Average improvement in quality as RouterBench has it (Hu et al. 2024, arXiv
// 2403.12031, their code): the hull is extended flat to the largest cost of all
// routers, integrated by trapezoids and divided by that cost. REQUIRES: a hull,
// largest_cost > 0 and not below the hull's.
double aiq(std::span<const CostPoint> hull, double largest_cost);
// The same divided by the range of costs, as the paper's text has it. The
// largest cost must exceed the cheapest.
double aiq_by_range(std::span<const CostPoint> hull, double largest_cost);

// Quality at a cost: below the cheapest point its own quality, above the last
// one flat.
double quality_at(std::span<const CostPoint> hull, double cost);
// The least cost that reaches a quality; nothing if none does.
std::optional<double> cost_at(std::span<const CostPoint> hull, double quality);

}  // namespace llmroute::learning
