// A study as a picture: quality against cost or, without costs, against the
// share of calls to the strong model.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "learning/study_report.h"

namespace llmroute::app {

struct ChartPoint {
  double x = 0, y = 0;
};

struct ChartLine {
  std::string name;   // "llmroute", "length only", "zero router", "oracle" ...
  std::string style;  // class of the SVG: "ours", "length", "zero", "oracle"
  char mark = '.';    // on a terminal
  std::vector<ChartPoint> points;
};

struct ChartSpot {
  std::string name;
  char mark = 'o';
  ChartPoint at;
};

struct Chart {
  std::string title, x_label;
  bool log_x = false;
  bool x_is_money = false;  // dollars per 1,000 prompts, else percent
  std::vector<ChartLine> lines;
  std::vector<ChartSpot> spots;
  double x_low = 0, x_high = 0, y_low = 0, y_high = 0;  // of the axes

  // 0..1 along the axes.
  double across(double x) const;
  double up(double y) const;
};

// Nothing if the study has neither a pool nor a pair.
std::optional<Chart> chart_of(const learning::StudyReport& study);

// One SVG document of all charts, readable on light and dark pages.
std::string charts_svg(const std::vector<Chart>& charts);

// A small chart of characters, 78 columns wide.
std::string chart_text(const Chart& chart);

}  // namespace llmroute::app
