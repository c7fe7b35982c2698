#include "learning/study_pool.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "learning/baselines.h"
#include "learning/hull.h"
#include "learning/random.h"

namespace llmroute::learning {
namespace {

constexpr uint64_t kFolds = 5;  // of what the baselines are fitted to

// Apart from part_of: the rows of the test part fall into all folds.
uint64_t fold_of(uint64_t prompt) {
  constexpr uint64_t kOwn = 0x9001;
  return mix64(prompt ^ kOwn) % kFolds;
}

// Whether what is fitted to the other folds has rows to be fitted to.
bool in_two_folds(const std::vector<uint64_t>& prompts) {
  return std::any_of(prompts.begin(), prompts.end(), [&](uint64_t prompt) {
    return fold_of(prompt) != fold_of(prompts.front());
  });
}

base::Error lacks(const char* what) { return {base::ErrorKind::kData, what}; }

// Fits length-only chances and expected costs of one model to four folds and
// applies them to the fifth.
void cross_fit(PoolData& pool, const std::vector<float>& bytes, size_t model) {
  const size_t models = pool.table.models;
  for (uint64_t fold = 0; fold < kFolds; ++fold) {
    std::vector<LengthRow> lengths;
    std::vector<CostSample> costs;
    for (size_t i = 0; i < bytes.size(); ++i) {
      if (fold_of(pool.prompt[i]) == fold) continue;
      const size_t at = i * models + model;
      const auto size = static_cast<double>(bytes[i]);
      lengths.push_back({size, static_cast<double>(pool.table.quality[at])});
      costs.push_back({size, static_cast<double>(pool.table.cost[at])});
    }
    const LengthOnly length = fit_length_only(lengths);
    const CostLine cost = fit_cost(costs);
    for (size_t i = 0; i < bytes.size(); ++i) {
      if (fold_of(pool.prompt[i]) != fold) continue;
      const size_t at = i * models + model;
      const auto size = static_cast<double>(bytes[i]);
      pool.length_chance[at] = static_cast<float>(length.probability(size));
      pool.expected_cost[at] = static_cast<float>(cost.at(size));
    }
  }
}

// A router's ways, what they do on average, and in every resample.
struct Measured {
  std::string name;
  std::vector<CostPoint> points;
  std::vector<double> resampled;  // cost and quality of each way in turn
};

Measured measured(const char* name, const PoolData& pool,
                  const std::vector<Choices>& ways,
                  const Resampling& resampling) {
  Measured m{name, {}, {}};
  for (const Choices& way : ways) m.points.push_back(mean_of(pool.table, way));
  m.resampled = resampled_means(columns_of(pool.table, ways), ways.size() * 2,
                                pool.prompt, resampling);
  return m;
}

std::vector<CostPoint> points_in(const Measured& m, size_t resample) {
  const size_t columns = m.points.size() * 2;
  std::vector<CostPoint> points;
  for (size_t c = 0; c < columns; c += 2) {
    const size_t at = resample * columns + c;
    points.push_back({m.resampled[at], m.resampled[at + 1]});
  }
  return points;
}

// The figures that have an interval.
struct Figures {
  std::vector<double> aiq;                   // per router
  std::vector<std::array<double, 3>> saved;  // per router
  double gain = 0, over_zero = 0;
};

enum Router : size_t { kOurs, kZero, kLength, kOracle, kRouterCount };

Figures figures(const std::vector<std::vector<CostPoint>>& points,
                const CostPoint& best, double& largest_cost) {
  largest_cost = 0;
  for (const auto& of_router : points) {
    for (const CostPoint& p : of_router) {
      largest_cost = std::max(largest_cost, p.cost);
    }
  }
  Figures f;
  for (const auto& of_router : points) {
    const std::vector<CostPoint> hull = upper_hull(of_router);
    f.aiq.push_back(aiq(hull, largest_cost));
    auto& saved = f.saved.emplace_back();
    for (size_t i = 0; i < 3; ++i) {
      const auto cost = cost_at(hull, kSavedAt[i] * best.quality);
      saved[i] =
          cost && best.cost > 0 ? 100 * (1 - *cost / best.cost) : kUnknown;
    }
    if (f.aiq.size() == 1) {
      f.gain = quality_at(hull, best.cost) - best.quality;
    }
  }
  f.over_zero = f.aiq[kOurs] - f.aiq[kZero];
  return f;
}

Band band(double value, const std::vector<Figures>& resampled,
          double (*of)(const Figures&, size_t, size_t), size_t a = 0,
          size_t b = 0) {
  if (std::isnan(value)) return {};
  std::vector<double> values;
  values.reserve(resampled.size());
  for (const Figures& f : resampled) {
    const double one = of(f, a, b);
    // A quality that is not reached in a resample saves nothing.
    values.push_back(std::isnan(one) ? 0 : one);
  }
  const Interval interval = interval_95(std::move(values));
  return {value, interval.low, interval.high};
}

size_t best_constant(const std::vector<CostPoint>& constants) {
  size_t best = 0;
  for (size_t m = 1; m < constants.size(); ++m) {
    const CostPoint &a = constants[m], &b = constants[best];
    if (a.quality > b.quality || (a.quality == b.quality && a.cost < b.cost)) {
      best = m;
    }
  }
  return best;
}

std::vector<Choices> constants_of(const PoolTable& table) {
  std::vector<Choices> ways;
  for (size_t m = 0; m < table.models; ++m) {
    ways.emplace_back(table.rows, static_cast<uint16_t>(m));
  }
  return ways;
}

// The routers in the order of Router.
std::vector<Measured> measure_routers(const PoolData& pool,
                                      const Resampling& resampling) {
  const PoolTable& table = pool.table;
  const std::vector<double> lambdas = learning::lambdas(table);
  const auto along = [&](const std::vector<float>& chance,
                         const std::vector<float>& cost) {
    return sweep(chance, cost, table.models, lambdas);
  };
  std::vector<Measured> routers;
  routers.push_back(measured(
      "llmroute", pool, along(pool.chance, pool.expected_cost), resampling));
  routers.push_back(
      measured("zero router", pool, constants_of(table), resampling));
  routers.push_back(measured("length only", pool,
                             along(pool.length_chance, pool.expected_cost),
                             resampling));
  routers.push_back(
      measured("oracle", pool, along(table.quality, table.cost), resampling));
  return routers;
}

void add_routers(const std::vector<Measured>& routers, PoolReport& report,
                 size_t resamples) {
  const CostPoint best = report.constants[report.best].at;
  std::vector<std::vector<CostPoint>> points;
  for (const Measured& m : routers) points.push_back(m.points);
  const Figures whole = figures(points, best, report.largest_cost);
  std::vector<Figures> resampled;
  for (size_t i = 0; i < resamples; ++i) {
    for (size_t r = 0; r < routers.size(); ++r) {
      points[r] = points_in(routers[r], i);
    }
    double largest = 0;
    resampled.push_back(figures(points, points[kZero][report.best], largest));
  }
  for (size_t r = 0; r < routers.size(); ++r) {
    PoolRouter router;
    router.name = routers[r].name;
    router.points = routers[r].points;
    router.hull = upper_hull(router.points);
    router.aiq = band(
        whole.aiq[r], resampled,
        [](const Figures& f, size_t a, size_t) { return f.aiq[a]; }, r);
    if (report.largest_cost > router.hull[0].cost) {
      router.aiq_by_range = aiq_by_range(router.hull, report.largest_cost);
    }
    for (size_t i = 0; i < 3; ++i) {
      router.saved[i] = band(
          whole.saved[r][i], resampled,
          [](const Figures& f, size_t a, size_t b) { return f.saved[a][b]; }, r,
          i);
    }
    report.routers.push_back(std::move(router));
  }
  report.gain = band(whole.gain, resampled,
                     [](const Figures& f, size_t, size_t) { return f.gain; });
  report.over_zero =
      band(whole.over_zero, resampled,
           [](const Figures& f, size_t, size_t) { return f.over_zero; });
}

}  // namespace

base::Result<PoolData> make_pool(const StudyRows& rows,
                                 const StudyTable& table) {
  constexpr size_t kFewestRows = 10;
  if (table.costs == CostSource::kNone) return lacks("no costs are known");
  PoolData pool;
  const size_t models = table.models.size();
  std::vector<float> bytes;
  float dearest = 0;
  for (size_t i = 0; i < table.size(); ++i) {
    bool complete = true;
    for (size_t at = i * models; at < (i + 1) * models; ++at) {
      complete = complete && !std::isnan(table.quality[at]) &&
                 !std::isnan(table.cost[at]);
    }
    if (!complete) continue;
    const StudyRow& row = rows.rows[table.rows[i]];
    pool.prompt.push_back(table.prompts[i]);
    bytes.push_back(row.bytes);
    for (size_t at = i * models; at < (i + 1) * models; ++at) {
      pool.table.quality.push_back(table.quality[at]);
      pool.table.cost.push_back(table.cost[at]);
      pool.chance.push_back(table.chance[at]);
      dearest = std::max(dearest, table.cost[at]);
    }
  }
  if (pool.prompt.size() < kFewestRows) {
    return lacks("fewer than ten rows have a score and a cost of every model");
  }
  if (dearest == 0) return lacks("every model is free");
  if (!in_two_folds(pool.prompt)) return lacks("too few different prompts");
  pool.table.rows = pool.prompt.size();
  pool.table.models = models;
  pool.length_chance.resize(pool.chance.size());
  pool.expected_cost.resize(pool.chance.size());
  for (size_t m = 0; m < models; ++m) cross_fit(pool, bytes, m);
  return pool;
}

PoolReport measure_pool(const StudyTable& study, const PoolData& pool,
                        const Resampling& resampling) {
  const PoolTable& table = pool.table;
  PoolReport report;
  report.rows = table.rows;
  for (size_t m = 0; m < table.models; ++m) {
    if (std::isnan(pool.chance[m])) {
      report.unknown_models.push_back(study.models[m]);
    } else {
      ++report.known_models;
    }
  }
  const std::vector<Measured> routers = measure_routers(pool, resampling);
  const std::vector<CostPoint>& constants = routers[kZero].points;
  for (size_t m = 0; m < table.models; ++m) {
    report.constants.push_back({study.models[m], constants[m]});
    report.random.cost += constants[m].cost / static_cast<double>(table.models);
    report.random.quality +=
        constants[m].quality / static_cast<double>(table.models);
  }
  report.best = best_constant(constants);
  report.cheapest_sufficient = mean_of(table, cheapest_sufficient(table));
  report.best_quality = mean_of(table, best_quality(table));
  add_routers(routers, report, static_cast<size_t>(resampling.count));
  if (report.known_models < 2) {
    // Without probabilities there is nothing to route by.
    report.routers.erase(report.routers.begin());
    report.gain = report.over_zero = {};
  }
  return report;
}

}  // namespace llmroute::learning
