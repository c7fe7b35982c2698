// The report of `bench` as JSON.
#include "app/bench_document.h"
#include "base/json_writer.h"

namespace llmroute::app {
namespace {

using base::JsonWriter;
using learning::Band;
using learning::HeadReport;
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

void add_band(JsonWriter& json, std::string_view name, const Band& band) {
  json.key(name).begin_object().field("value", band.value);
  json.field("low", band.low).field("high", band.high).end_object();
}

void add_interval(JsonWriter& json, std::string_view name, const Band& band) {
  json.key(name).begin_array().value(band.low).value(band.high).end_array();
}

void add_point(JsonWriter& json, const learning::CostPoint& point) {
  json.begin_object().field("cost_usd", point.cost);
  json.field("quality", point.quality).end_object();
}

void add_curve_point(JsonWriter& json, const learning::CurvePoint& p) {
  json.begin_array().value(p.strong_share).value(p.quality).end_array();
}

void add_scorer(JsonWriter& json, const PairScorer& s) {
  json.begin_object().field("name", s.name);
  json.key("routellm").begin_object().field("apgr", s.routellm.apgr);
  json.field("apgr_paper_sum", s.routellm.apgr_paper_sum);
  json.field("cpt20", s.routellm.cpt20).field("cpt50", s.routellm.cpt50);
  json.field("cpt80", s.routellm.cpt80).end_object();
  json.key("fine").begin_object().field("apgr", s.fine.apgr);
  json.field("cpt50", s.fine.cpt50).field("cpt80", s.fine.cpt80);
  json.field("saved_calls_95", s.fine.saved95);
  json.field("saved_calls_99", s.fine.saved99);
  json.field("saved_calls_100", s.fine.saved100);
  json.field("random_saved_calls_95", s.fine.random95);
  json.field("random_saved_calls_99", s.fine.random99);
  json.field("random_saved_calls_100", s.fine.random100);
  json.field("peak_quality_pct_of_strong", s.fine.peak).end_object();
  json.key("intervals").begin_object();
  add_interval(json, "apgr", s.apgr);
  add_interval(json, "cpt50", s.cpt50);
  add_interval(json, "cpt80", s.cpt80);
  add_interval(json, "saved_calls_95", s.saved[0]);
  add_interval(json, "saved_calls_99", s.saved[1]);
  add_interval(json, "saved_calls_100", s.saved[2]);
  json.end_object();
  json.list("curve", s.curve, add_curve_point).end_object();
}

void add_pair(JsonWriter& json, const PairReport& pair) {
  json.begin_object().field("strong", pair.strong).field("weak", pair.weak);
  json.field("rows", pair.rows).field("strong_mean", pair.strong_mean);
  json.field("weak_mean", pair.weak_mean);
  json.field("scored_by", pair.known ? "probabilities" : "difficulty");
  json.list("scorers", pair.scorers, add_scorer);
  add_band(json, "apgr_over_length", pair.over_length);
  json.end_object();
}

void add_named(JsonWriter& json, const NamedPoint& point) {
  json.begin_object().field("model", point.name);
  json.field("cost_usd", point.at.cost).field("quality", point.at.quality);
  json.end_object();
}

void add_router(JsonWriter& json, const PoolRouter& router) {
  json.begin_object().field("name", router.name);
  add_band(json, "aiq", router.aiq);
  json.field("aiq_by_range", router.aiq_by_range);
  add_band(json, "cost_saved_95", router.saved[0]);
  add_band(json, "cost_saved_99", router.saved[1]);
  add_band(json, "cost_saved_100", router.saved[2]);
  json.list("points", router.points, add_point);
  json.list("hull", router.hull, add_point);
  json.end_object();
}

void add_pool(JsonWriter& json, const PoolReport& pool) {
  json.begin_object().field("rows", pool.rows);
  json.field("known_models", pool.known_models);
  json.field("largest_cost_usd", pool.largest_cost);
  json.field("best_constant", pool.constants[pool.best].name);
  json.list("constants", pool.constants, add_named);
  json.key("random");
  add_point(json, pool.random);
  json.key("cheapest_sufficient_oracle");
  add_point(json, pool.cheapest_sufficient);
  json.key("best_quality_oracle");
  add_point(json, pool.best_quality);
  json.list("routers", pool.routers, add_router);
  add_band(json, "gain", pool.gain);
  add_band(json, "aiq_over_zero", pool.over_zero);
  json.end_object();
}

void add_head(JsonWriter& json, const HeadReport& head) {
  json.begin_object().field("model", head.model).field("rows", head.rows);
  json.field("mean", head.mean).field("brier", head.brier.value);
  json.field("ece", head.ece.value).field("auc", head.auc.value);
  json.end_object();
}

void add_slice(JsonWriter& json, const SliceReport& s) {
  json.begin_object().field("name", s.name).field("rows", s.rows);
  json.field("strong_mean", s.strong_mean).field("weak_mean", s.weak_mean);
  add_band(json, "apgr", s.apgr);
  json.field("length_only_apgr", s.length_apgr).end_object();
}

void add_variant(JsonWriter& json, const VariantReport& v) {
  json.begin_object().field("name", v.name);
  json.field("unchanged", v.unchanged).field("apgr", v.apgr).end_object();
}

void add_robust(JsonWriter& json, const RobustReport& robust) {
  json.key("robust").begin_object().field("rows", robust.rows);
  json.field("paraphrases", robust.paraphrases);
  json.field("apgr", robust.apgr).field("unchanged", robust.unchanged);
  json.list("variants", robust.variants, add_variant).end_object();
}

void add_target(JsonWriter& json, const TargetReport& target) {
  json.key("target").begin_object().field("share", target.share);
  json.field("rows", target.rows).text_or_null("refused", target.refused);
  json.field("worth_usd", target.worth).field("quality", target.quality);
  json.field("cost_usd", target.cost);
  json.field("best_quality", target.best_quality);
  json.field("best_cost_usd", target.best_cost);
  json.field("floor_broken", target.floor_broken);
  json.field("folds", target.folds);
  json.field("warnings", target.warnings).end_object();
}

void add_study(JsonWriter& json, const StudyReport& study) {
  constexpr const char* kCosts[] = {"none", "file", "prices"};
  json.begin_object().field("name", study.name);
  json.field("verdict", study.verdict).field("rows", study.rows);
  json.field("router", study.router);
  json.field("costs", kCosts[static_cast<size_t>(study.costs)]);
  json.field("models", study.models).key("pair");
  if (study.pair) {
    add_pair(json, *study.pair);
  } else {
    json.null();
  }
  json.key("pool");
  if (study.pool) {
    add_pool(json, *study.pool);
  } else {
    json.null();
  }
  json.key("probabilities").begin_array();
  for (const HeadReport& head : study.heads) add_head(json, head);
  if (!study.heads.empty()) add_head(json, study.all_heads);
  json.end_array();
  json.list("datasets", study.datasets, add_slice);
  json.list("domains", study.domains, add_slice);
  if (study.robust) add_robust(json, *study.robust);
  if (study.target) add_target(json, *study.target);
  json.end_object();
}

void add_domains(JsonWriter& json, const DomainReport& domains) {
  json.key("domains").begin_object().field("rows", domains.rows);
  json.field("trained_on", domains.trained_on);
  if (domains.rows > 0) {
    json.field("accuracy", domains.metrics.accuracy);
    json.field("macro_f1", domains.metrics.macro_f1);
    json.key("names").begin_array();
    for (const std::string_view name : core::kDomainNames) json.value(name);
    json.end_array().field("confusion", domains.confusion);
  }
  json.end_object();
}

void add_figure(JsonWriter& json, const Figure& figure) {
  json.begin_object().field("study", figure.study);
  json.field("name", figure.name).field("value", figure.band.value);
  json.field("low", figure.band.low).field("high", figure.band.high);
  json.end_object();
}

void add_change(JsonWriter& json, const Change& change) {
  json.begin_object().field("study", change.study);
  json.field("name", change.name).field("before", change.before);
  json.field("now", change.now).field("better", change.better);
  json.field("outside_intervals", change.outside).end_object();
}

}  // namespace

std::string bench_json(const BenchReport& report,
                       const std::vector<Change>& changes) {
  JsonWriter json;
  json.begin_object().field("schema", "llmroute.bench/1");
  json.field("seed", report.seed);
  json.key("router_model").begin_object().field("id", report.router_model);
  json.field("sha256", report.router_sha256).end_object();
  json.list("studies", report.studies, add_study);
  json.field("trained_on", report.trained_on);
  add_domains(json, report.domains);
  json.key("speed").begin_object().field("prompts", report.speed.prompts);
  json.field("p50_ns", report.speed.all.p50_ns);
  json.field("p99_ns", report.speed.all.p99_ns);
  json.field("analysis_p50_ns", report.speed.analysis.p50_ns);
  json.field("analysis_p99_ns", report.speed.analysis.p99_ns);
  json.field("prompts_per_second", report.speed.per_second).end_object();
  json.list("figures", figures_of(report), add_figure);
  if (!changes.empty()) json.list("changes", changes, add_change);
  return json.end_object().take() + "\n";
}

}  // namespace llmroute::app
