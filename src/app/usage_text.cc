#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/usage_report.h"
#include "base/table.h"
#include "base/terminal_text.h"
#include "base/text.h"

namespace llmroute::app {
namespace {

using base::with_thousands;
using core::display_usd;
using core::Money;
using store::Spend;

std::string usd(int64_t pico) { return display_usd(Money{pico}); }

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

void add_sums(std::vector<std::string>& cells, const Spend& spend) {
  cells.push_back(with_thousands(spend.calls));
  cells.push_back(with_thousands(spend.answered));
  cells.push_back(with_thousands(spend.input_tokens));
  cells.push_back(with_thousands(spend.output_tokens));
  cells.push_back(
      core::display_known_usd({spend.cost_pico}, spend.unknown, spend.calls));
  cells.push_back(usd(spend.charged_pico));
}

std::string rows_text(const UsageReport& report) {
  base::Table table(std::string(report.by.size(), 'l') + "rrrrrr");
  std::vector<std::string> head;
  for (const store::Grouping grouping : report.by) {
    head.push_back(upper(std::string(store::grouping_name(grouping))));
  }
  for (const char* name :
       {"CALLS", "ANSWERED", "IN TOKENS", "OUT TOKENS", "COST", "CHARGED"}) {
    head.emplace_back(name);
  }
  table.add_row(std::move(head));
  for (const store::SpendRow& row : report.rows) {
    std::vector<std::string> cells;
    for (const std::string& key : row.keys) {
      cells.push_back(key.empty() ? "-" : base::visible_line(key));
    }
    add_sums(cells, row.spend);
    table.add_row(std::move(cells));
  }
  std::vector<std::string> last(report.by.size());
  last[0] = "all";
  add_sums(last, report.total);
  table.add_row(std::move(last));
  return table.render();
}

std::string calls(int64_t count) {
  return with_thousands(count) + (count == 1 ? " call" : " calls");
}

// Settled and held are told apart, and so is what is not known for certain.
std::string state_text(const UsageReport& report) {
  const Spend& total = report.total;
  std::string text = fmt::format(
      "CHARGED is what counts against ceilings: a call whose cost "
      "is not known at its worst case\n"
      "settled  {}, of which {} is known to have been paid\n",
      usd(total.charged_pico), usd(total.cost_pico));
  if (total.unknown > 0) {
    text += fmt::format(
        "unknown  {}: {} answered without a count or a price, {} whose process "
        "died, {} broken off; charged as their worst case if it has a bound, "
        "about {} by what was sent and received\n",
        calls(total.unknown), total.estimated, total.orphans,
        total.unknown - total.estimated - total.orphans,
        usd(total.likely_pico));
  }
  const store::HeldSums& held = report.held;
  if (held.calls > 0) {
    text += fmt::format("held     {} by {} under way\n", usd(held.pico),
                        calls(held.calls));
  }
  if (held.dead_calls > 0) {
    text += fmt::format("held     {} by {} whose process died\n",
                        usd(held.dead_pico), calls(held.dead_calls));
  }
  return text;
}

std::string saved_text(const Baseline& baseline) {
  const std::string text = display_usd(baseline.saved());
  if (baseline.cost.pico <= 0) return text;
  const double times = baseline.spent.usd() / baseline.cost.usd();
  // A loss of more than everything is no share that a person can picture.
  return times > 2
             ? fmt::format("{} (routing cost {:.1f} x as much)", text, times)
             : fmt::format("{} ({:.0f} %)", text, 100 * (1 - times));
}

// The dearest and the cheapest ones if there are many.
std::string baselines_text(const UsageReport& report) {
  constexpr size_t kFirst = 6, kLast = 4;
  if (report.total.answered == 0) return {};
  base::Table table("lrrrr");
  table.add_row({"INSTEAD, ALL ON", "COST", "SPENT", "SAVED", "NOT COMPARED"});
  const size_t count = report.baselines.size();
  for (size_t i = 0; i < count; ++i) {
    if (i == kFirst && count > kFirst + kLast + 1) {
      i = count - kLast;
      table.add_row(
          {fmt::format("{} more (--json)", i - kFirst), "", "", "", ""});
    }
    const Baseline& baseline = report.baselines[i];
    const std::string name = baseline.constant
                                 ? base::visible_line(baseline.name)
                                 : "the " + baseline.name + " candidate";
    if (baseline.compared == 0) {
      table.add_row({name, "?", "?", "?", calls(baseline.not_compared)});
      continue;
    }
    table.add_row(
        {name, display_usd(baseline.cost), display_usd(baseline.spent),
         saved_text(baseline),
         baseline.not_compared > 0 ? calls(baseline.not_compared) : "-"});
  }
  return "\n" + table.render();
}

std::string ceilings_text(const UsageReport& report) {
  if (report.ceilings.empty()) return {};
  base::Table table("llrrrr");
  table.add_row({"CEILING", "OF", "LIMIT", "SETTLED", "HELD", "LEFT"});
  for (const CeilingState& ceiling : report.ceilings) {
    table.add_row({base::visible_line(ceiling.name), ceiling.window,
                   display_usd(ceiling.limit), display_usd(ceiling.settled),
                   display_usd(ceiling.held), display_usd(ceiling.left())});
  }
  return "\n" + table.render();
}

constexpr size_t kBarColumns = 50, kDaysShown = 31;

std::string chart_text(const std::vector<store::SpendRow>& days) {
  int64_t most = 0;
  for (const store::SpendRow& day : days) {
    most = std::max(most, day.spend.charged_pico);
  }
  if (most == 0) return {};
  std::string text = "\n";
  const size_t first = days.size() - std::min(days.size(), kDaysShown);
  for (size_t i = first; i < days.size(); ++i) {
    const double share = static_cast<double>(days[i].spend.charged_pico) /
                         static_cast<double>(most);
    const auto columns = static_cast<size_t>(
        std::lround(share * static_cast<double>(kBarColumns)));
    text +=
        fmt::format("{} {} {}\n", days[i].keys[0], std::string(columns, '#'),
                    usd(days[i].spend.charged_pico));
  }
  return text;
}

}  // namespace

std::string usage_text(const UsageReport& report, bool chart) {
  std::string text =
      fmt::format("{} to {} (UTC)\n\n", report.since, report.until);
  text += rows_text(report) + "\n" + state_text(report);
  text += baselines_text(report) + ceilings_text(report);
  if (chart) text += chart_text(report.days);
  return text;
}

}  // namespace llmroute::app
