// The report of `bench` as text.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/bench_document.h"
#include "base/table.h"
#include "base/terminal_text.h"
#include "base/text.h"

namespace llmroute::app {
namespace {

using learning::Band;
using learning::CostSource;
using learning::NamedPoint;
using learning::PairReport;
using learning::PairScorer;
using learning::PoolReport;
using learning::PoolRouter;
using learning::RobustReport;
using learning::SliceReport;
using learning::StudyReport;
using learning::TargetReport;
using learning::VariantReport;

constexpr size_t kMostSlices = 8;
constexpr size_t kMostConstants = 6;
constexpr size_t kLongestName = 38;

std::string count(size_t n) {
  return base::with_thousands(static_cast<int64_t>(n));
}

std::string figure(double value) {
  return std::isnan(value) ? "-" : fmt::format("{:.3f}", value);
}

std::string percent(double value) {
  return std::isnan(value) ? "-" : fmt::format("{:.1f} %", value);
}

std::string interval(const Band& band) {
  if (std::isnan(band.low) || std::isnan(band.value)) return "-";
  return fmt::format("[{:.3f}, {:.3f}]", band.low, band.high);
}

// A difference; it is one where the interval excludes zero.
std::string signed_band(const Band& band) {
  return fmt::format("{:+.3f} [{:+.3f}, {:+.3f}]", band.value, band.low,
                     band.high);
}

std::string dollars(double per_prompt) {
  return fmt::format("${:.4g}", per_prompt * 1000);
}

// Names come from the files.
std::string shown(const std::string& name) {
  std::string line = base::visible_line(name);
  if (line.size() <= kLongestName) return line;
  size_t cut = kLongestName - 3;
  while (cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xc0) == 0x80) {
    --cut;
  }
  return line.substr(0, cut) + "...";
}

std::string pair_text(const PairReport& pair) {
  std::string text = fmt::format(
      "\n  pair: {} ({:.3f}) over {} ({:.3f}), {} rows{}\n", shown(pair.strong),
      pair.strong_mean, shown(pair.weak), pair.weak_mean, count(pair.rows),
      pair.known ? "" : ", by difficulty");
  base::Table table("lrrrrrrrr");
  table.add_row({"", "APGR", "95 %", "RouteLLM", "CPT50", "CPT80", "at 95 %",
                 "99 %", "100 %"});
  for (const PairScorer& s : pair.scorers) {
    const bool random = s.name == "random";
    table.add_row({s.name, figure(s.apgr.value), random ? "" : interval(s.apgr),
                   random ? "" : figure(s.routellm.apgr), percent(s.fine.cpt50),
                   percent(s.fine.cpt80),
                   percent(random ? s.fine.random95 : s.fine.saved95),
                   percent(random ? s.fine.random99 : s.fine.saved99),
                   percent(random ? s.fine.random100 : s.fine.saved100)});
  }
  return text + table.render(4) +
         fmt::format("    APGR less that by length: {}\n",
                     signed_band(pair.over_length)) +
         "    (APGR: share of the gap won; the last three: calls to the strong "
         "model saved)\n";
}

std::string pool_text(const PoolReport& pool) {
  std::string text = fmt::format("\n  pool: {} models, {} rows\n",
                                 pool.constants.size(), count(pool.rows));
  base::Table table("lrrrrr");
  table.add_row({"", "AIQ", "95 %", "cost saved at 95 %", "99 %", "100 %"});
  for (const PoolRouter& router : pool.routers) {
    table.add_row({router.name, figure(router.aiq.value), interval(router.aiq),
                   percent(router.saved[0].value),
                   percent(router.saved[1].value),
                   percent(router.saved[2].value)});
  }
  text += table.render(4);
  if (!std::isnan(pool.over_zero.value)) {
    text += fmt::format("    AIQ less the zero router's: {}\n",
                        signed_band(pool.over_zero));
  }
  base::Table points("lrr");
  points.add_row({"", "quality", "$ per 1,000"});
  const auto add = [&](const std::string& name, const learning::CostPoint& p) {
    points.add_row({name, figure(p.quality), dollars(p.cost)});
  };
  std::vector<NamedPoint> constants = pool.constants;
  std::sort(constants.begin(), constants.end(),
            [](const NamedPoint& a, const NamedPoint& b) {
              return a.at.quality > b.at.quality;
            });
  for (size_t i = 0; i < std::min(constants.size(), kMostConstants); ++i) {
    add(shown(constants[i].name), constants[i].at);
  }
  add("random", pool.random);
  add("cheapest-sufficient oracle", pool.cheapest_sufficient);
  add("best-quality oracle", pool.best_quality);
  text += points.render(4);
  if (constants.size() > kMostConstants) {
    text += fmt::format("    ({} more constants in --json)\n",
                        constants.size() - kMostConstants);
  }
  return text;
}

std::string slices_text(const char* title,
                        const std::vector<SliceReport>& slices) {
  if (slices.size() < 2) return "";
  base::Table table("lrrrrrr");
  table.add_row({title, "rows", "strong", "weak", "APGR", "95 %", "by length"});
  for (size_t i = 0; i < std::min(slices.size(), kMostSlices); ++i) {
    const SliceReport& s = slices[i];
    table.add_row({shown(s.name), count(s.rows), figure(s.strong_mean),
                   figure(s.weak_mean), figure(s.apgr.value), interval(s.apgr),
                   figure(s.length_apgr)});
  }
  std::string text = "\n" + table.render(4);
  if (slices.size() > kMostSlices) {
    text +=
        fmt::format("    ({} more in --json)\n", slices.size() - kMostSlices);
  }
  return text;
}

std::string robust_text(const RobustReport& robust) {
  std::string text = fmt::format(
      "\n  robustness: {:.1f} % of {} decisions unchanged on average "
      "(APGR {} as it is)\n",
      100 * robust.unchanged, count(robust.rows), figure(robust.apgr));
  base::Table table("lrr");
  table.add_row({"", "unchanged", "APGR"});
  for (const VariantReport& v : robust.variants) {
    table.add_row({v.name, percent(100 * v.unchanged), figure(v.apgr)});
  }
  text += table.render(4);
  if (robust.paraphrases == 0) return text;
  return text + fmt::format("    ({} rows are paraphrases of earlier ones)\n",
                            count(robust.paraphrases));
}

std::string target_text(const TargetReport& target) {
  std::string text =
      fmt::format("\n  target: {:.4g} % of the quality of the best constant\n",
                  100 * target.share);
  if (!target.refused.empty()) {
    text += "    refused: " + base::visible_line(target.refused) + "\n";
  } else {
    text += fmt::format(
        "    worth = {:.4g}   (--worth, or a profile of the config; a wait of "
        "0)\n"
        "    quality {:.3f} for {} per 1,000; best constant {:.3f} for {}\n",
        target.worth, target.quality, dollars(target.cost), target.best_quality,
        dollars(target.best_cost));
  }
  if (target.folds > 0) {
    text += fmt::format(
        "    guarded by 1.645 standard errors; the floor was broken in "
        "{:.0f} % of {} held-out folds\n",
        100 * target.floor_broken, target.folds);
  }
  for (const std::string& warning : target.warnings) {
    text += "    warning: " + warning + "\n";
  }
  return text;
}

std::string study_text(const StudyReport& study) {
  const char* costs = study.costs == CostSource::kFile ? ", costs of the file"
                      : study.costs == CostSource::kPrices
                          ? ", costs estimated from prices"
                          : ", no costs";
  std::string text = fmt::format(
      "{}: {} rows, {} models{}; {}\n{}\n", shown(study.name),
      count(study.rows), study.models.size(), costs, study.router,
      base::wrapped("  " + base::visible_line(study.verdict), 100, 2));
  if (study.pair) text += pair_text(*study.pair);
  if (study.pool) text += pool_text(*study.pool);
  if (!study.heads.empty()) {
    text += fmt::format(
        "\n  P(good), {} models: Brier {:.3f} {}, ECE {:.3f} {}, AUC {:.3f} "
        "{}"
        "\n",
        study.heads.size(), study.all_heads.brier.value,
        interval(study.all_heads.brier), study.all_heads.ece.value,
        interval(study.all_heads.ece), study.all_heads.auc.value,
        interval(study.all_heads.auc));
  }
  text += slices_text("dataset", study.datasets);
  text += slices_text("domain", study.domains);
  if (study.robust) text += robust_text(*study.robust);
  if (study.target) text += target_text(*study.target);
  return text + "\n";
}

std::string domains_text(const DomainReport& domains) {
  std::string left_out;
  if (domains.trained_on > 0) {
    left_out = fmt::format(", without {} that the router model was trained on",
                           count(domains.trained_on));
  }
  if (domains.rows > 0) {
    return fmt::format(
        "domains of {} rows{}: accuracy {:.3f}, macro F1 {:.3f}\n",
        count(domains.rows), left_out, domains.metrics.accuracy,
        domains.metrics.macro_f1);
  }
  if (left_out.empty()) return "";
  return fmt::format("domains of no rows{}\n", left_out);
}

const char* in_words(const Change& change) {
  if (!change.outside) return "no intervals";
  if (!*change.outside) return "within the intervals";
  return change.better ? "better" : "worse";
}

}  // namespace

std::string bench_text(const BenchReport& report) {
  std::string text;
  for (const learning::StudyReport& study : report.studies)
    text += study_text(study);
  if (report.trained_on > 0) {
    text +=
        fmt::format("without {} rows that the router model was trained on\n",
                    count(report.trained_on));
  }
  text += domains_text(report.domains);
  const DecisionSpeed& speed = report.speed;
  return text +
         fmt::format(
             "decisions about {} prompts: p50 {:.1f} us, p99 {:.1f} us "
             "(analysis {:.1f} and {:.1f}), {}/s\nrouter model {}, seed {}\n",
             count(speed.prompts), speed.all.p50_ns / 1000,
             speed.all.p99_ns / 1000, speed.analysis.p50_ns / 1000,
             speed.analysis.p99_ns / 1000,
             count(static_cast<size_t>(speed.per_second)),
             base::visible_line(report.router_model), report.seed);
}

std::string changes_text(const std::vector<Change>& changes,
                         const std::string& path) {
  const std::string shown_path = base::visible_line(path);
  base::Table table("llrrrl");
  table.add_row({"figure", "study", "before", "now", "change", ""});
  bool any = false;
  for (const Change& c : changes) {
    // Speed is never the same twice.
    if (c.name == "decision_us") continue;
    if (std::fabs(c.now - c.before) < 1e-9) continue;
    any = true;
    const bool both = !std::isnan(c.before) && !std::isnan(c.now);
    table.add_row({c.name, shown(c.study), figure(c.before), figure(c.now),
                   both ? fmt::format("{:+.3f}", c.now - c.before)
                        : (std::isnan(c.now) ? "gone" : "new"),
                   both ? in_words(c) : ""});
  }
  if (!any) return fmt::format("\nno figure differs from {}\n", shown_path);
  return fmt::format("\nagainst {}:\n", shown_path) + table.render(2);
}

}  // namespace llmroute::app
