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
                                     const BenchReport& report) {
  const auto fail_if = parse_fail_if(text);
  REQUIRE(fail_if);
  return failures(*fail_if, report);
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

TEST_CASE("a condition is held against every study") {
  BenchReport report;
  for (const char* name : {"one", "two"}) {
    report.studies.emplace_back().name = name;
  }
  report.studies[0].all_heads.brier.value = 0.7;
  report.studies[1].all_heads.brier.value = 0.5;
  report.studies[1].all_heads.auc.value = 0.8;
  CHECK(failures_of("brier<0.5", report).empty());
  CHECK(failures_of("brier<=0.5", report) ==
        std::vector<std::string>{"--fail-if 'brier<=0.5': brier is 0.5 (two)"});
  CHECK(failures_of("brier>0.4", report).size() == 2);
  CHECK(failures_of("decision_us<0", report).empty());
  CHECK(failures_of("auc<0.1", report) ==
        std::vector<std::string>{
            "--fail-if 'auc<0.1': auc was not measured (one)"});
  CHECK(failures_of("apgr<0", report) ==
        std::vector<std::string>{"--fail-if 'apgr<0': apgr was not measured"});
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
