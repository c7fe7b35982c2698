#include "app/bench_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/terminal_text.h"

namespace llmroute::app {
namespace {

using learning::NamedPoint;
using learning::PairReport;
using learning::PairScorer;
using learning::PoolReport;
using learning::PoolRouter;

struct Look {
  const char *name, *style;
  char mark;
};
constexpr Look kLooks[] = {{"llmroute", "ours", '*'},
                           {"length only", "length", '~'},
                           {"zero router", "zero", '.'},
                           {"random", "zero", '.'},
                           {"oracle", "oracle", '+'}};

ChartLine line_of(const std::string& name) {
  for (const Look& look : kLooks) {
    if (name == look.name) return {name, look.style, look.mark, {}};
  }
  return {name, "zero", '.', {}};
}

ChartPoint per_thousand(const learning::CostPoint& point) {
  return {point.cost * 1000, point.quality};
}

Chart chart_of_pool(const PoolReport& pool) {
  Chart chart;
  chart.x_label = "dollars per 1,000 prompts";
  chart.x_is_money = true;
  for (const PoolRouter& router : pool.routers) {
    ChartLine line = line_of(router.name);
    for (const learning::CostPoint& point : router.hull) {
      line.points.push_back(per_thousand(point));
    }
    // A hull goes on flat.
    line.points.push_back(
        {pool.largest_cost * 1000, router.hull.back().quality});
    chart.lines.push_back(std::move(line));
  }
  for (const NamedPoint& constant : pool.constants) {
    chart.spots.push_back({constant.name, 'o', per_thousand(constant.at)});
  }
  chart.spots.push_back({"random", 'x', per_thousand(pool.random)});
  chart.spots.push_back({"cheapest-sufficient oracle", '+',
                         per_thousand(pool.cheapest_sufficient)});
  chart.spots.push_back(
      {"best-quality oracle", '+', per_thousand(pool.best_quality)});
  return chart;
}

Chart chart_of_pair(const PairReport& pair) {
  Chart chart;
  chart.x_label = "percent of calls to " + pair.strong;
  for (const PairScorer& scorer : pair.scorers) {
    ChartLine line = line_of(scorer.name);
    for (const learning::CurvePoint& point : scorer.curve) {
      line.points.push_back({100 * point.strong_share, point.quality});
    }
    chart.lines.push_back(std::move(line));
  }
  chart.spots.push_back({pair.weak, 'o', {0, pair.weak_mean}});
  chart.spots.push_back({pair.strong, 'o', {100, pair.strong_mean}});
  return chart;
}

void set_axes(Chart& chart) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  double x_low = kInfinity, y_low = kInfinity;
  const auto include = [&](const ChartPoint& p) {
    x_low = std::min(x_low, p.x);
    y_low = std::min(y_low, p.y);
    chart.x_high = std::max(chart.x_high, p.x);
    chart.y_high = std::max(chart.y_high, p.y);
  };
  for (const ChartLine& line : chart.lines) {
    for (const ChartPoint& point : line.points) include(point);
  }
  for (const ChartSpot& spot : chart.spots) include(spot.at);
  // Costs that span more than a decade are read better by their ratios.
  chart.log_x = chart.x_is_money && x_low > 0 && chart.x_high > 10 * x_low;
  chart.x_low = chart.log_x ? x_low : 0;
  chart.x_high *= chart.log_x ? 1.05 : 1.0;
  const double room = std::max(0.05 * (chart.y_high - y_low), 0.005);
  chart.y_low = y_low - room;
  chart.y_high += room;
}

constexpr int kColumns = 64, kLines = 15;

class Canvas {
 public:
  explicit Canvas(const Chart& chart)
      : chart_(chart), cells_(kLines, std::string(kColumns, ' ')) {}

  void put(double x, double y, char mark) {
    const auto column = std::lround(chart_.across(x) * (kColumns - 1));
    const auto line = std::lround((1 - chart_.up(y)) * (kLines - 1));
    if (column < 0 || column >= kColumns || line < 0 || line >= kLines) return;
    cells_[static_cast<size_t>(line)][static_cast<size_t>(column)] = mark;
  }

  // Straight lines between the points as the axes are drawn.
  void draw(const ChartLine& line) {
    for (size_t i = 0; i + 1 < line.points.size(); ++i) {
      const ChartPoint &a = line.points[i], &b = line.points[i + 1];
      for (int step = 0; step <= kColumns; ++step) {
        const double share = static_cast<double>(step) / kColumns;
        put(a.x + share * (b.x - a.x), a.y + share * (b.y - a.y), line.mark);
      }
    }
  }

  std::string text() const {
    std::string all;
    for (int i = 0; i < kLines; ++i) {
      const double share = 1 - static_cast<double>(i) / (kLines - 1);
      const double y = chart_.y_low + share * (chart_.y_high - chart_.y_low);
      const std::string label =
          i % 7 == 0 ? fmt::format("{:9.3f} |", y) : std::string(10, ' ') + "|";
      std::string row = label + cells_[static_cast<size_t>(i)];
      row.erase(row.find_last_not_of(' ') + 1);
      all += row + "\n";
    }
    return all;
  }

 private:
  const Chart& chart_;
  std::vector<std::string> cells_;
};

}  // namespace

double Chart::across(double x) const {
  if (!log_x) return (x - x_low) / (x_high - x_low);
  return std::log(x / x_low) / std::log(x_high / x_low);
}

double Chart::up(double y) const { return (y - y_low) / (y_high - y_low); }

std::optional<Chart> chart_of(const learning::StudyReport& study) {
  if (!study.pool && !study.pair) return std::nullopt;
  Chart chart =
      study.pool ? chart_of_pool(*study.pool) : chart_of_pair(*study.pair);
  chart.title = study.name;
  set_axes(chart);
  return chart;
}

std::string chart_text(const Chart& chart) {
  Canvas canvas(chart);
  std::string legend;
  for (auto line = chart.lines.rbegin(); line != chart.lines.rend(); ++line) {
    canvas.draw(*line);
  }
  for (const ChartLine& line : chart.lines) {
    legend += fmt::format("{} {}  ", line.mark, line.name);
  }
  for (const ChartSpot& spot : chart.spots) {
    canvas.put(spot.at.x, spot.at.y, spot.mark);
  }
  const std::string low = chart.x_is_money ? fmt::format("${:.3g}", chart.x_low)
                                           : std::string("0 %");
  const std::string high = chart.x_is_money
                               ? fmt::format("${:.3g}", chart.x_high)
                               : std::string("100 %");
  return fmt::format(
      "  quality of {}; {}o constants\n{}{:>11}{}\n{:<10}{:<{}}{}\n{:>11}{}\n",
      base::visible_line(chart.title), legend, canvas.text(), "+",
      std::string(kColumns, '-'), "", low, kColumns - 6, high, "",
      base::visible_line(chart.x_label) + (chart.log_x ? ", logarithmic" : ""));
}

}  // namespace llmroute::app
