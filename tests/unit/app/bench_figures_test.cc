#include "app/bench_figures.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using llmroute::app::BenchReport;
using llmroute::app::failures;
using llmroute::app::Figure;
using llmroute::app::figures_of;
using llmroute::app::parse_fail_if;
using llmroute::base::ErrorKind;

namespace {

std::vector<std::string> failures_of(const char* text,
                                     const std::vector<Figure>& figures) {
  const auto fail_if = parse_fail_if(text);
  REQUIRE(fail_if);
  return failures(*fail_if, figures);
}

}  // namespace

TEST_CASE("a condition is a figure, a relation and a number") {
  const auto fail_if = parse_fail_if(" apgr <= 0.6");
  REQUIRE(fail_if);
  CHECK(fail_if->name == "apgr");
  CHECK(fail_if->relation == "<=");
  CHECK(fail_if->limit == 0.6);
  for (const char* bad :
       {"", "apgr", "apgr=1", "apgr<", "<1", "apgr<1x", "apgr<=>1", "x<1"}) {
    CAPTURE(bad);
    const auto refused = parse_fail_if(bad);
    REQUIRE(!refused);
    CHECK(refused.error().kind == ErrorKind::kUsage);
  }
  CHECK(parse_fail_if("apg<1").error().message.find("'apgr'") !=
        std::string::npos);
}

TEST_CASE("a condition is held against every study that has the figure") {
  const std::vector<Figure> figures = {
      {"one", "apgr", {0.7}}, {"two", "apgr", {0.5}}, {"two", "aiq", {0.8}}};
  CHECK(failures_of("apgr<0.5", figures).empty());
  CHECK(failures_of("apgr<=0.5", figures) ==
        std::vector<std::string>{"--fail-if 'apgr<=0.5': apgr is 0.5 (two)"});
  CHECK(failures_of("apgr>0.4", figures).size() == 2);
  CHECK(failures_of("aiq>=0.8", figures).size() == 1);
  CHECK(failures_of("auc<0", figures) ==
        std::vector<std::string>{"--fail-if 'auc<0': auc was not measured"});
}

TEST_CASE("only what was measured is a figure") {
  BenchReport report;
  report.studies.emplace_back().name = std::string("s");
  report.studies[0].all_heads.brier.value = 0.2;
  const std::vector<Figure> figures = figures_of(report);
  REQUIRE(figures.size() == 2);
  CHECK(figures[0].study == "s");
  CHECK(figures[0].name == "brier");
  CHECK(figures[0].band.value == 0.2);
  CHECK(figures[1].name == "decision_us");
}
