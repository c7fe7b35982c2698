#include "app/bench_quality.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/files.h"
#include "base/json_writer.h"
#include "base/table.h"
#include "base/text.h"
#include "learning/abilities.h"
#include "learning/bootstrap.h"
#include "learning/lines.h"
#include "learning/pairing.h"
#include "learning/rows.h"

namespace llmroute::app {
namespace {

using learning::PairRow;

struct Question {
  double bytes = 0;
  core::Analysis analysis;
  learning::Scores scores;
};

double chance(const core::Analysis& analysis, const core::PerDomain& ability) {
  double expected = 0;
  for (size_t d = 0; d < ability.size(); ++d) {
    expected += analysis.domain[d] * ability[d];
  }
  const double margin = expected - analysis.difficulty;
  return 1 / (1 + std::exp(-analysis.slope * margin));
}

class Measurement {
 public:
  Measurement(const core::Config& config, const analyzer::Analyzer& analyzer)
      : analyzer_(analyzer) {
    for (const core::Model& model : config.models) {
      for (const std::string& name : {model.name, model.id}) {
        abilities_.try_emplace(learning::normalised_model_name(name),
                               model.ability);
      }
    }
  }

  base::Status read(const std::string& path) {
    LLMROUTE_TRY(learning::LineReader reader, learning::LineReader::open(path));
    const std::string name = base::base_name(path);
    std::string_view line;
    for (;;) {
      auto more = reader.next(line);
      if (!more) return std::move(more).error();
      if (!*more) return {};
      if (line.empty()) continue;
      auto row = parser_.parse(line, name.substr(0, name.find('.')));
      if (!row) {
        return with_context(fmt::format("{}:{}", path, reader.number()),
                            std::move(row).error());
      }
      add(*std::move(row));
    }
  }

  base::Result<QualityReport> finish() {
    for (const auto& [source, questions] : by_source_) pair(source, questions);
    if (report_.pairs.empty() && labels_.empty()) {
      return base::Error{base::ErrorKind::kData,
                         "no source has outcomes of two models that differ, "
                         "nor labels of domains"};
    }
    report_.domain_rows = labels_.size();
    if (!labels_.empty()) {
      report_.domain = learning::class_metrics(labels_, core::kDomainCount);
    }
    return std::move(report_);
  }

 private:
  void add(learning::Row row) {
    const core::Analysis analysis =
        analyzer_.analyze({row.prompt, row.context});
    if (row.domain) {
      labels_.push_back({*row.domain, core::largest(analysis.domain)});
    }
    if (row.scores.empty() || row.suspect || row.preference) return;
    by_source_[row.source].push_back({static_cast<double>(row.prompt.size()),
                                      analysis, std::move(row.scores)});
  }

  void pair(const std::string& source, const std::vector<Question>& questions) {
    std::vector<const learning::Scores*> scores;
    for (const Question& question : questions) {
      scores.push_back(&question.scores);
    }
    const auto chosen = learning::choose_pair(scores);
    if (!chosen) return;
    PairQuality quality{source,
                        chosen->strong,
                        chosen->weak,
                        0,
                        chosen->strong_mean,
                        chosen->weak_mean,
                        false,
                        {}};
    const auto strong = find(chosen->strong), weak = find(chosen->weak);
    quality.known = strong != nullptr && weak != nullptr;
    std::vector<PairRow> ours, length, oracle;
    for (const Question& question : questions) {
      const auto pair = learning::scores_of(question.scores, *chosen);
      if (!pair) continue;
      const auto& [of_strong, of_weak] = *pair;
      const double score = quality.known ? chance(question.analysis, *strong) -
                                               chance(question.analysis, *weak)
                                         : question.analysis.difficulty;
      ours.push_back({score, of_strong, of_weak});
      length.push_back({question.bytes, of_strong, of_weak});
      oracle.push_back({of_strong - of_weak, of_strong, of_weak});
    }
    quality.rows = ours.size();
    quality.scorers = {scorer("llmroute", ours), scorer("length only", length),
                       scorer("oracle", oracle)};
    report_.pairs.push_back(std::move(quality));
  }

  const core::PerDomain* find(const std::string& model) const {
    const auto place = abilities_.find(learning::normalised_model_name(model));
    return place == abilities_.end() ? nullptr : &place->second;
  }

  static Scorer scorer(const char* name, const std::vector<PairRow>& rows) {
    const learning::Interval interval = learning::bootstrap_apgr(rows);
    return {name, learning::routellm_metrics(rows),
            learning::fine_metrics(rows), interval.low, interval.high};
  }

  const analyzer::Analyzer& analyzer_;
  learning::RowParser parser_;
  learning::Abilities abilities_;
  std::vector<learning::Labelled> labels_;
  std::map<std::string, std::vector<Question>> by_source_;
  QualityReport report_;
};

void add_scorer(base::JsonWriter& json, const Scorer& s) {
  json.begin_object().field("name", s.name);
  json.key("routellm").begin_object().field("apgr", s.routellm.apgr);
  json.field("cpt20", s.routellm.cpt20).field("cpt50", s.routellm.cpt50);
  json.field("cpt80", s.routellm.cpt80).end_object();
  json.key("fine").begin_object().field("apgr", s.fine.apgr);
  json.field("apgr_low", s.apgr_low).field("apgr_high", s.apgr_high);
  json.field("cpt50", s.fine.cpt50).field("cpt80", s.fine.cpt80);
  json.field("saved_at_95", s.fine.saved95);
  json.field("saved_at_99", s.fine.saved99);
  json.field("saved_at_100", s.fine.saved100).end_object();
  json.end_object();
}

std::string pair_text(const PairQuality& pair) {
  std::string text = fmt::format(
      "{}: {} ({:.3f}) over {} ({:.3f}), {} rows, scored by {}\n", pair.source,
      pair.strong, pair.strong_mean, pair.weak, pair.weak_mean,
      base::with_thousands(static_cast<int64_t>(pair.rows)),
      pair.known ? "P(strong) - P(weak)" : "difficulty (abilities not known)");
  base::Table table("lrlrrrrr");
  table.add_row({"", "APGR", "95 %", "RouteLLM APGR", "CPT50", "CPT80",
                 "saved at 95 %", "at 99 %"});
  for (const Scorer& s : pair.scorers) {
    table.add_row({s.name, fmt::format("{:.3f}", s.fine.apgr),
                   fmt::format("[{:.3f}, {:.3f}]", s.apgr_low, s.apgr_high),
                   fmt::format("{:.3f}", s.routellm.apgr),
                   fmt::format("{:.1f} %", s.fine.cpt50),
                   fmt::format("{:.1f} %", s.fine.cpt80),
                   fmt::format("{:.1f} %", s.fine.saved95),
                   fmt::format("{:.1f} %", s.fine.saved99)});
  }
  return text + table.render(2) + "\n";
}

}  // namespace

base::Result<QualityReport> measure_quality(
    const std::vector<std::string>& files, const core::Config& config,
    const analyzer::Analyzer& analyzer) {
  Measurement measurement(config, analyzer);
  for (const std::string& file : files) LLMROUTE_CHECK(measurement.read(file));
  return measurement.finish();
}

std::string quality_text(const QualityReport& report) {
  std::string text;
  for (const PairQuality& pair : report.pairs) text += pair_text(pair);
  if (!report.pairs.empty()) {
    text +=
        "APGR: share of the gap in quality that is won, averaged over all "
        "shares of calls;\n0.5 is a constant or chance. CPT50: calls to the "
        "strong model that win half of it.\n";
  }
  if (report.domain_rows > 0) {
    text += fmt::format(
        "\ndomains of {} rows: accuracy {:.3f}, macro F1 {:.3f}\n",
        base::with_thousands(static_cast<int64_t>(report.domain_rows)),
        report.domain.accuracy, report.domain.macro_f1);
  }
  return text;
}

std::string quality_json(const QualityReport& report) {
  base::JsonWriter json;
  json.begin_object().key("pairs").begin_array();
  for (const PairQuality& pair : report.pairs) {
    json.begin_object().field("source", pair.source);
    json.field("strong", pair.strong).field("weak", pair.weak);
    json.field("rows", pair.rows).field("strong_mean", pair.strong_mean);
    json.field("weak_mean", pair.weak_mean);
    json.field("abilities_known", pair.known).key("scorers").begin_array();
    for (const Scorer& s : pair.scorers) add_scorer(json, s);
    json.end_array().end_object();
  }
  json.end_array();
  json.key("domains").begin_object().field("rows", report.domain_rows);
  if (report.domain_rows > 0) {
    json.field("accuracy", report.domain.accuracy);
    json.field("macro_f1", report.domain.macro_f1);
  }
  return json.end_object().end_object().take() + "\n";
}

}  // namespace llmroute::app
