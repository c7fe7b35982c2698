#include "app/training_report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <span>

#include "learning/baselines.h"
#include "learning/pairing.h"

namespace llmroute::app {
namespace {

using learning::Prediction;
using learning::Row;

constexpr size_t kFewestPairRows = 60;

// Abilities by name: known ones and those fitted.
class Abilities {
 public:
  Abilities(const learning::Solution& solution, const TrainingSet& set)
      : solution_(solution), set_(set) {}
  const core::PerDomain* find(const std::string& model) const {
    const auto place = set_.index_of_model.find(model);
    return place == set_.index_of_model.end()
               ? nullptr
               : &solution_.ability[place->second];
  }

 private:
  const learning::Solution& solution_;
  const TrainingSet& set_;
};

// Baselines per model, fitted on the training part.
struct Baseline {
  double constant = 0.5;
  learning::LengthOnly length;
};

std::vector<Baseline> fit_baselines(const TrainingSet& set) {
  std::vector<std::vector<learning::LengthRow>> rows(set.models.size());
  const learning::Problem& problem = set.problem;
  for (const learning::Sample& sample : problem.samples) {
    for (uint32_t o = sample.outcome_begin; o < sample.outcome_end; ++o) {
      const learning::Outcome& outcome = problem.outcomes[o];
      rows[outcome.model].push_back(
          {sample.bytes, static_cast<double>(outcome.score)});
    }
  }
  std::vector<Baseline> baselines;
  for (const auto& of_model : rows) {
    baselines.push_back({learning::fit_constant(of_model),
                         learning::fit_length_only(of_model)});
  }
  return baselines;
}

double square(double x) { return x * x; }

// As Sample::bytes.
double bytes_of(const Row& row) {
  return static_cast<double>(row.prompt.size() + row.context.size());
}

ProbabilityReport summarise(std::span<const Prediction> predictions) {
  return {learning::brier(predictions), learning::log_loss(predictions),
          learning::calibration_error(predictions)};
}

// A held-out row of outcomes and what the model says of it.
struct Judged {
  const Row* row = nullptr;
  uint64_t prompt = 0;  // identities_of()
  core::Analysis analysis, installed;
};

class Measurement {
 public:
  Measurement(const TrainedModel& model, const learning::Solution& solution,
              const TrainingSet& set, const Installed& installed)
      : model_(model),
        set_(set),
        installed_(installed),
        abilities_(solution, set) {}

  TrainingReport run() {
    count();
    const auto prompts = learning::identities_of(set_.test);
    for (size_t i = 0; i < prompts.size(); ++i) {
      const Row& row = set_.test[i];
      const core::Analysis analysis = model_.analyze(row.prompt, row.context);
      const core::Analysis before =
          installed_.analyzer.analyze({row.prompt, row.context});
      if (row.domain) {
        labels_.push_back({*row.domain, core::largest(analysis.domain)});
        installed_right_ += core::largest(before.domain) == *row.domain;
      }
      if (row.answer_tokens) {
        lengths_.emplace_back(*row.answer_tokens, analysis.output_tokens);
      }
      if (row.has_outcomes()) {
        by_source_[row.source].push_back({&row, prompts[i], analysis, before});
      }
    }
    report_domains();
    report_probabilities();
    report_pairs();
    report_lengths();
    return std::move(report_);
  }

 private:
  void count() {
    report_.copies = set_.copies;
    report_.trained_before = set_.trained_before;
    report_.train_rows = set_.problem.samples.size() - set_.copies;
    report_.calibrate_rows = set_.calibrate.size();
    report_.test_rows = set_.test.size();
    report_.slope = static_cast<double>(model_.model().slope);
    report_.models = set_.models.size();
    for (const auto& known : set_.problem.known_ability) {
      report_.known_models += known.has_value();
    }
    report_.known_models -= set_.assumed_abilities;
  }

  void report_domains() {
    report_.domain_rows = labels_.size();
    if (labels_.empty()) return;
    report_.domain = learning::class_metrics(labels_, core::kDomainCount);
    report_.confusion = learning::confusion(labels_, core::kDomainCount);
    report_.installed_accuracy = static_cast<double>(installed_right_) /
                                 static_cast<double>(labels_.size());
    std::vector<double> rows(core::kDomainCount), right(core::kDomainCount);
    for (const learning::Labelled& label : labels_) {
      rows[label.truth] += 1;
      right[label.truth] += label.truth == label.guess;
    }
    const double all = static_cast<double>(labels_.size());
    report_.commonest_domain =
        *std::max_element(rows.begin(), rows.end()) / all;
    for (size_t d = 0; d < rows.size(); ++d) {
      report_.domain_recall.push_back(rows[d] == 0 ? -1 : right[d] / rows[d]);
    }
  }

  void report_probabilities() {
    const std::vector<Baseline> baselines = fit_baselines(set_);
    std::vector<Prediction> model, constant, length, installed, beside;
    std::vector<float> gains;  // per row
    std::vector<uint64_t> prompts;
    for (const auto& [source, all] : by_source_) {
      const size_t first = model.size();
      for (const Judged& judged : all) {
        double gain = 0;
        size_t count = 0;
        const double bytes = bytes_of(*judged.row);
        for (const auto& [name, score] : judged.row->scores) {
          const core::PerDomain* ability = abilities_.find(name);
          if (ability == nullptr) continue;
          const Baseline& baseline = baselines[set_.index_of_model.at(name)];
          model.push_back(
              {chance_good(judged.analysis, name, *ability), score});
          constant.push_back({baseline.constant, score});
          length.push_back({baseline.length.probability(bytes), score});
          if (const auto chance = chance_in_use(judged.installed, name)) {
            installed.push_back({*chance, score});
            beside.push_back(model.back());
          }
          gain += square(baseline.constant - score) -
                  square(model.back().probability - score);
          ++count;
        }
        if (count > 0) {
          gains.push_back(
              static_cast<float>(gain / static_cast<double>(count)));
          prompts.push_back(judged.prompt);
        }
      }
      const auto of_source = std::span(model).subspan(first);
      if (!of_source.empty()) {
        report_.sources.push_back(
            {source, of_source.size(), summarise(of_source)});
      }
    }
    report_.outcomes = model.size();
    if (model.empty()) return;
    report_.model = summarise(model);
    report_.constant = summarise(constant);
    report_.length = summarise(length);
    report_.installed_outcomes = installed.size();
    if (!installed.empty()) {
      report_.installed_brier = learning::brier(installed);
      report_.brier_beside_installed = learning::brier(beside);
    }
    report_.gain =
        learning::interval_95(learning::resampled_means(gains, 1, prompts, {}));
  }

  // Nothing if neither an ability nor a head tells of the model.
  std::optional<double> chance_in_use(const core::Analysis& analysis,
                                      const std::string& name) const {
    const auto known =
        installed_.abilities.find(learning::normalised_model_name(name));
    if (known != installed_.abilities.end()) {
      return chance_good(analysis, name, known->second);
    }
    if (!has_head(analysis, name)) return std::nullopt;
    return chance_good(analysis, name, {});
  }

  void report_pairs() {
    for (const auto& [source, all] : by_source_) {
      if (all.size() >= kFewestPairRows) report_pair(source, all);
    }
    for (const SourcePair& pair : report_.pairs) {
      const double share = 1 / static_cast<double>(report_.pairs.size());
      report_.mean_apgr += share * pair.model.apgr;
      report_.mean_length_apgr += share * pair.length.apgr;
    }
  }

  void report_pair(const std::string& source, const std::vector<Judged>& all) {
    std::vector<const learning::Scores*> scores;
    for (const Judged& judged : all) scores.push_back(&judged.row->scores);
    const auto pair = learning::choose_pair(scores);
    if (!pair || !abilities_.find(pair->strong) ||
        !abilities_.find(pair->weak)) {
      return;
    }
    SourcePair report{
        source,          pair->strong, pair->weak, 0, pair->strong_mean,
        pair->weak_mean, {},           {}};
    fill_pair(all, *pair, report);
    report_.pairs.push_back(std::move(report));
  }

  void fill_pair(const std::vector<Judged>& all,
                 const learning::ModelPair& pair, SourcePair& report) const {
    std::vector<learning::PairRow> by_model, by_length;
    const core::PerDomain& strong = *abilities_.find(pair.strong);
    const core::PerDomain& weak = *abilities_.find(pair.weak);
    for (const Judged& judged : all) {
      const auto scores = learning::scores_of(judged.row->scores, pair);
      if (!scores) continue;
      const double gain = chance_good(judged.analysis, pair.strong, strong) -
                          chance_good(judged.analysis, pair.weak, weak);
      const double bytes = bytes_of(*judged.row);
      by_model.push_back({gain, scores->first, scores->second});
      by_length.push_back({bytes, scores->first, scores->second});
    }
    report.rows = by_model.size();
    report.model = learning::fine_metrics(by_model);
    report.length = learning::fine_metrics(by_length);
  }

  void report_lengths() {
    report_.length_rows = lengths_.size();
    if (lengths_.empty()) return;
    std::vector<double> truths;
    for (const auto& [truth, guess] : lengths_) truths.push_back(truth);
    const double middle = median(truths);
    std::vector<double> factors, constant;
    for (const auto& [truth, guess] : lengths_) {
      factors.push_back(std::exp(std::fabs(std::log(guess / truth))));
      constant.push_back(std::exp(std::fabs(std::log(middle / truth))));
    }
    report_.length_factor = median(factors);
    report_.constant_length_factor = median(constant);
  }

  static double median(std::vector<double> values) {
    const auto middle =
        values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
  }

  const TrainedModel& model_;
  const TrainingSet& set_;
  const Installed& installed_;
  Abilities abilities_;
  TrainingReport report_;
  size_t installed_right_ = 0;
  std::vector<learning::Labelled> labels_;
  std::vector<std::pair<double, double>> lengths_;  // truth, guess
  std::map<std::string, std::vector<Judged>> by_source_;
};

}  // namespace

std::string TrainingReport::shortcoming() const {
  const bool domains = domain_rows > 0 && commonest_domain < 1;
  if (!domains && outcomes == 0) {
    return "nothing was held out that tells it from a constant";
  }
  if (domains && domain.accuracy <= commonest_domain) {
    return "its domains are no better than always the commonest on held-out "
           "rows";
  }
  if (outcomes > 0 && gain.low <= 0) {
    return "P(good) is no better than the best constant on held-out rows";
  }
  return "";
}

TrainingReport measure(const TrainedModel& model,
                       const learning::Solution& solution,
                       const TrainingSet& set, const Installed& installed) {
  return Measurement(model, solution, set, installed).run();
}

double calibrated_slope(const TrainedModel& model,
                        const learning::Solution& solution,
                        const TrainingSet& set) {
  const Abilities abilities(solution, set);
  std::vector<learning::SlopePoint> points;
  for (const Row& row : set.calibrate) {
    if (!row.has_outcomes()) continue;
    const core::Analysis analysis = model.analyze(row.prompt, row.context);
    for (const auto& [name, score] : row.scores) {
      const core::PerDomain* ability = abilities.find(name);
      if (ability == nullptr) continue;
      const double margin =
          core::mean_over(analysis.domain, *ability) - analysis.difficulty;
      points.push_back({margin, score});
    }
  }
  return points.empty() ? static_cast<double>(solution.slope)
                        : learning::fit_slope(points);
}

}  // namespace llmroute::app
