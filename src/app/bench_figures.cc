#include "app/bench_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "base/text.h"
#include "learning/figure_file.h"

namespace llmroute::app {
namespace {

using learning::Band;
using learning::PairReport;
using learning::PairScorer;
using learning::PoolReport;
using learning::PoolRouter;

enum class Better { kHigher, kLower };

struct FigureName {
  std::string_view name;
  Better better;
};
// Every figure there can be.
constexpr FigureName kNames[] = {
    {"apgr", Better::kHigher},
    {"apgr_over_length", Better::kHigher},
    {"routellm_apgr", Better::kHigher},
    {"cpt50", Better::kLower},
    {"cpt80", Better::kLower},
    {"saved_calls_95", Better::kHigher},
    {"saved_calls_99", Better::kHigher},
    {"saved_calls_100", Better::kHigher},
    {"aiq", Better::kHigher},
    {"aiq_over_zero", Better::kHigher},
    {"gain", Better::kHigher},
    {"cost_saved_95", Better::kHigher},
    {"cost_saved_99", Better::kHigher},
    {"cost_saved_100", Better::kHigher},
    {"brier", Better::kLower},
    {"ece", Better::kLower},
    {"auc", Better::kHigher},
    {"unchanged", Better::kHigher},
    {"floor_broken", Better::kLower},
    {"domain_accuracy", Better::kHigher},
    {"domain_f1", Better::kHigher},
    {"decision_us", Better::kLower},
};

class Collector {
 public:
  void begin(const std::string& study) { study_ = study; }
  void add(std::string_view name, const Band& band) {
    if (!std::isnan(band.value)) all_.push_back({study_, name, band});
  }
  void add(std::string_view name, double value) { add(name, Band{value}); }
  std::vector<Figure> take() { return std::move(all_); }

 private:
  std::string study_;
  std::vector<Figure> all_;
};

void add_pair(const PairReport& pair, Collector& all) {
  const PairScorer& ours = pair.scorers[0];
  all.add("apgr", ours.apgr);
  all.add("apgr_over_length", pair.over_length);
  all.add("routellm_apgr", ours.routellm.apgr);
  all.add("cpt50", ours.cpt50);
  all.add("cpt80", ours.cpt80);
  all.add("saved_calls_95", ours.saved[0]);
  all.add("saved_calls_99", ours.saved[1]);
  all.add("saved_calls_100", ours.saved[2]);
}

void add_pool(const PoolReport& pool, Collector& all) {
  if (pool.known_models < 2) return;
  const PoolRouter& ours = pool.routers[0];
  all.add("aiq", ours.aiq);
  all.add("aiq_over_zero", pool.over_zero);
  all.add("gain", pool.gain);
  all.add("cost_saved_95", ours.saved[0]);
  all.add("cost_saved_99", ours.saved[1]);
  all.add("cost_saved_100", ours.saved[2]);
}

bool holds(double value, const std::string& relation, double limit) {
  if (relation == "<") return value < limit;
  if (relation == "<=") return value <= limit;
  if (relation == ">") return value > limit;
  return value >= limit;
}

Better better_of(std::string_view name) {
  for (const FigureName& figure : kNames) {
    if (figure.name == name) return figure.better;
  }
  return Better::kHigher;
}

// `before`: null if there was none.
Change change_of(const Figure& figure, const learning::FiledFigure* before) {
  Change change{figure.study, std::string(figure.name), learning::kUnknown,
                figure.band.value};
  if (before == nullptr) return change;
  change.before = before->value;
  if (!std::isnan(figure.band.low) && !std::isnan(before->low)) {
    change.outside =
        before->high < figure.band.low || before->low > figure.band.high;
  }
  const double gained = better_of(figure.name) == Better::kHigher
                            ? change.now - change.before
                            : change.before - change.now;
  change.better = gained > 1e-9;
  return change;
}

}  // namespace

std::vector<Figure> figures_of(const BenchReport& report) {
  Collector all;
  for (const learning::StudyReport& study : report.studies) {
    all.begin(study.name);
    if (study.pair) add_pair(*study.pair, all);
    if (study.pool) add_pool(*study.pool, all);
    all.add("brier", study.all_heads.brier);
    all.add("ece", study.all_heads.ece);
    all.add("auc", study.all_heads.auc);
    if (study.robust) all.add("unchanged", study.robust->unchanged);
    if (study.target) all.add("floor_broken", study.target->floor_broken);
  }
  all.begin("");
  if (report.domains.rows > 0) {
    all.add("domain_accuracy", report.domains.metrics.accuracy);
    all.add("domain_f1", report.domains.metrics.macro_f1);
  }
  all.add("decision_us", report.speed.all.p50_ns / 1000);
  return all.take();
}

base::Result<FailIf> parse_fail_if(std::string_view text) {
  const auto usage = [](std::string what) {
    return base::Error{base::ErrorKind::kUsage, std::move(what)};
  };
  FailIf fail_if;
  fail_if.text = text;
  const size_t at = text.find_first_of("<>");
  if (at == std::string_view::npos) {
    return usage("expected FIGURE<NUMBER, as in 'apgr<0.6'");
  }
  const bool or_equal = at + 1 < text.size() && text[at + 1] == '=';
  fail_if.name = base::trim(text.substr(0, at));
  fail_if.relation = text.substr(at, or_equal ? 2 : 1);
  const auto limit =
      base::parse_double(base::trim(text.substr(at + fail_if.relation.size())));
  if (!limit) return usage("expected a number after the sign");
  fail_if.limit = *limit;
  std::vector<std::string> names;
  for (const FigureName& figure : kNames) names.emplace_back(figure.name);
  if (std::find(names.begin(), names.end(), fail_if.name) != names.end()) {
    return fail_if;
  }
  const auto near = base::nearest_name(fail_if.name, names);
  return usage(
      near ? fmt::format("unknown figure '{}' (did you mean '{}'?)",
                         fail_if.name, *near)
           : fmt::format("expected one of {}", base::join(names, ", ")));
}

std::vector<std::string> failures(const FailIf& fail_if,
                                  const BenchReport& report) {
  std::vector<std::string> lines;
  const auto add = [&](const std::string& what, const std::string& study) {
    lines.push_back(fmt::format("--fail-if '{}': {} {}{}", fail_if.text,
                                fail_if.name, what,
                                study.empty() ? "" : " (" + study + ")"));
  };
  std::set<std::string> missing;
  for (const learning::StudyReport& study : report.studies) {
    missing.insert(study.name);
  }
  bool measured = false;
  for (const Figure& figure : figures_of(report)) {
    if (figure.name != fail_if.name) continue;
    measured = true;
    if (figure.study.empty()) missing.clear();  // one for all studies
    missing.erase(figure.study);
    if (holds(figure.band.value, fail_if.relation, fail_if.limit)) {
      add(fmt::format("is {:.4g}", figure.band.value), figure.study);
    }
  }
  if (!measured) missing = {""};
  for (const std::string& study : missing) add("was not measured", study);
  return lines;
}

base::Result<std::vector<Change>> changes_since(
    const std::string& path, const std::vector<Figure>& figures) {
  LLMROUTE_TRY(const std::vector<learning::FiledFigure> old,
               learning::read_figures(path));
  std::map<std::pair<std::string, std::string>, const learning::FiledFigure*>
      left;  // by study and name
  for (const learning::FiledFigure& before : old) {
    if (left.try_emplace({before.study, before.name}, &before).second) continue;
    return base::Error{base::ErrorKind::kData,
                       fmt::format("{}: two studies are named '{}'; write it "
                                   "again with this version",
                                   path, before.study)};
  }
  std::vector<Change> changes;
  for (const Figure& figure : figures) {
    const auto place = left.find({figure.study, std::string(figure.name)});
    changes.push_back(
        change_of(figure, place == left.end() ? nullptr : place->second));
    if (place != left.end()) left.erase(place);
  }
  for (const learning::FiledFigure& before : old) {
    if (!left.contains({before.study, before.name})) continue;
    changes.push_back({before.study, before.name, before.value});
  }
  return changes;
}

}  // namespace llmroute::app
