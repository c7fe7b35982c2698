// The charts of `bench` as SVG. Colours are chosen by the page's scheme in the
// style sheet, so that one file suits light and dark.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/bench_chart.h"
#include "base/terminal_text.h"

namespace llmroute::app {
namespace {

constexpr double kWidth = 800, kHeight = 480;  // of a chart
constexpr double kLeft = 64, kRight = 24, kTop = 64, kBottom = 56;

// Plain rules first: readers without media queries draw the light one.
constexpr const char* kStyle = R"(<style>
.back{fill:#ffffff}
text{fill:#1f2328;font:12px system-ui,sans-serif}
.title{font-size:15px;font-weight:600}
.small{font-size:11px}
.name{font-size:11px;stroke:#ffffff;stroke-width:3;paint-order:stroke}
.grid{stroke:#d0d7de;stroke-width:1}
.line{fill:none;stroke-width:2}
.ours{stroke:#0969da;stroke-width:3}
.length{stroke:#9a6700}
.zero{stroke:#6e7781;stroke-dasharray:5 4}
.oracle{stroke:#1a7f37;stroke-dasharray:2 3}
.spot{fill:#cf222e;stroke:#ffffff;stroke-width:1}
@media (prefers-color-scheme:dark){
.back{fill:#0d1117}
text{fill:#e6edf3}
.name{stroke:#0d1117}
.grid{stroke:#30363d}
.ours{stroke:#58a6ff}
.length{stroke:#d29922}
.zero{stroke:#8b949e}
.oracle{stroke:#3fb950}
.spot{fill:#ff7b72;stroke:#0d1117}
}
</style>
)";

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : base::visible_line(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

class Drawing {
 public:
  Drawing(const Chart& chart, double top) : chart_(chart), top_(top) {}

  std::string svg() {
    text(kLeft, top_ + 24, "title", chart_.title + ": quality against cost");
    legend();
    grid();
    for (auto line = chart_.lines.rbegin(); line != chart_.lines.rend();
         ++line) {
      draw(*line);
    }
    spots();
    text(kLeft, top_ + kHeight - 12, "small",
         chart_.x_label + (chart_.log_x ? " (logarithmic)" : "") +
             "; upwards: mean quality");
    return std::move(out_);
  }

 private:
  double x_of(double x) const {
    return kLeft + chart_.across(x) * (kWidth - kLeft - kRight);
  }
  double y_of(double y) const {
    return top_ + kHeight - kBottom - chart_.up(y) * (kHeight - kTop - kBottom);
  }

  void text(double x, double y, const char* style, const std::string& what,
            const char* anchor = "start") {
    out_ += fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{}\" text-anchor=\"{}\">{}"
        "</text>\n",
        x, y, style, anchor, escaped(what));
  }

  void legend() {
    double x = kLeft;
    for (const ChartLine& line : chart_.lines) {
      out_ += fmt::format("<path class=\"line {}\" d=\"M{:.1f} {:.1f}h24\"/>\n",
                          line.style, x, top_ + 42);
      text(x + 30, top_ + 46, "small", line.name);
      x += 44 + 7 * static_cast<double>(line.name.size());
    }
  }

  void grid() {
    constexpr int kSteps = 5;
    for (int i = 0; i <= kSteps; ++i) {
      const double share = static_cast<double>(i) / kSteps;
      const double y = chart_.y_low + share * (chart_.y_high - chart_.y_low);
      out_ +=
          fmt::format("<path class=\"grid\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>\n",
                      kLeft, y_of(y), kWidth - kRight);
      text(kLeft - 8, y_of(y) + 4, "small", fmt::format("{:.2f}", y), "end");
      const double x =
          chart_.log_x
              ? chart_.x_low * std::pow(chart_.x_high / chart_.x_low, share)
              : chart_.x_low + share * (chart_.x_high - chart_.x_low);
      text(x_of(x), top_ + kHeight - kBottom + 18, "small",
           chart_.x_is_money ? fmt::format("${:.2g}", x)
                             : fmt::format("{:.0f} %", x),
           i == kSteps ? "end" : "middle");
    }
  }

  // Cut where the axes bend straight lines.
  void draw(const ChartLine& line) {
    constexpr int kPieces = 16;
    std::string path;
    for (size_t i = 0; i + 1 < line.points.size(); ++i) {
      const ChartPoint &a = line.points[i], &b = line.points[i + 1];
      const int pieces = chart_.log_x ? kPieces : 1;
      for (int p = i == 0 ? 0 : 1; p <= pieces; ++p) {
        const double share = static_cast<double>(p) / pieces;
        path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L",
                            x_of(a.x + share * (b.x - a.x)),
                            y_of(a.y + share * (b.y - a.y)));
      }
    }
    out_ += fmt::format(
        "<path class=\"line {}\" d=\"{}\"><title>{}</title>"
        "</path>\n",
        line.style, path, escaped(line.name));
  }

  struct Box {
    double left, right, middle, half_height;
    bool touches(const Box& other) const {
      return left < other.right && other.left < right &&
             std::fabs(middle - other.middle) < half_height + other.half_height;
    }
  };

  // Names beside their spots, moved down until they touch no other.
  void spots() {
    constexpr double kRadius = 4.5;
    std::vector<Box> taken;
    for (const ChartSpot& spot : chart_.spots) {
      const double x = x_of(spot.at.x), y = y_of(spot.at.y);
      out_ += fmt::format(
          "<circle class=\"spot\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\">"
          "<title>{}: {:.3f}</title></circle>\n",
          x, y, kRadius, escaped(spot.name), spot.at.y);
      taken.push_back({x - kRadius, x + kRadius, y, kRadius});
    }
    for (const ChartSpot& spot : chart_.spots) name(spot, taken);
  }

  void name(const ChartSpot& spot, std::vector<Box>& taken) {
    constexpr double kGap = 8, kPerByte = 6.6, kHalfLine = 6;
    const double x = x_of(spot.at.x);
    const bool right = x < kWidth * 0.62;
    const double width = kPerByte * static_cast<double>(spot.name.size());
    Box box{right ? x + kGap : x - kGap - width,
            right ? x + kGap + width : x - kGap, y_of(spot.at.y), kHalfLine};
    const auto touches = [&](const Box& other) { return box.touches(other); };
    while (std::any_of(taken.begin(), taken.end(), touches)) box.middle += 4;
    taken.push_back(box);
    text(right ? box.left : box.right, box.middle + 4, "name", spot.name,
         right ? "start" : "end");
  }

  const Chart& chart_;
  double top_;
  std::string out_;
};

}  // namespace

std::string charts_svg(const std::vector<Chart>& charts) {
  const double height =
      kHeight * static_cast<double>(std::max<size_t>(charts.size(), 1));
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} "
      "{1:.0f}\" width=\"{0:.0f}\" height=\"{1:.0f}\" role=\"img\">\n"
      "<title>llmroute bench: quality against cost</title>\n{2}"
      "<rect class=\"back\" width=\"{0:.0f}\" height=\"{1:.0f}\"/>\n",
      kWidth, height, kStyle);
  for (size_t i = 0; i < charts.size(); ++i) {
    out += Drawing(charts[i], kHeight * static_cast<double>(i)).svg();
  }
  return out + "</svg>\n";
}

}  // namespace llmroute::app
