#include "app/ledger_training.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "app/experience.h"
#include "app/ledger_place.h"
#include "app/messages.h"
#include "app/output.h"
#include "app/own_heads.h"
#include "app/router_model.h"
#include "base/files.h"
#include "base/json_writer.h"
#include "base/sha256.h"
#include "base/table.h"
#include "config/load.h"
#include "config/toml_text.h"
#include "core/analysis.h"
#include "core/money.h"
#include "core/reward.h"
#include "learning/correction.h"
#include "store/ledger_file.h"

namespace llmroute::app {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using core::ExitStatus;
using store::OutcomeRow;

constexpr size_t kHeldOutOf = 5;  // one of so many decisions
constexpr double kPenalty = 5;    // on the squares of standardised shifts

// A usable verdict.
struct Row {
  const OutcomeRow* outcome = nullptr;
  size_t model = 0;  // index into LedgerFit::models
  size_t domain = 0;
  double listed = 0;  // logit of P(good) by the listed abilities
  bool held_out = false;
  double fitted = 0;  // P(good)
};

// What the fit adds to a model's logit in a domain.
double shift_of(const learning::Correction& correction, size_t domain) {
  return correction.bias + correction.weights[domain];
}

class Fitter {
 public:
  Fitter(const core::Config& config, double slope, const core::Worth& worth)
      : config_(config), slope_(slope), worth_(worth) {}

  LedgerFit fit(const std::vector<OutcomeRow>& outcomes, uint64_t seed);

 private:
  void take(const std::vector<OutcomeRow>& outcomes, uint64_t seed);
  void fit_model(size_t model);
  void measure(uint64_t seed);
  void measure_models();
  double constant_of(size_t model) const;
  double estimated_reward(const Row& row, size_t model) const;

  const core::Config& config_;
  double slope_;
  core::Worth worth_;
  LedgerFit fit_;
  std::vector<Row> rows_;
};

bool is_held_out(const std::string& decision, uint64_t seed) {
  const auto digest = base::sha256(fmt::format("{}/{}", seed, decision));
  return digest[0] % kHeldOutOf == 0;
}

void Fitter::take(const std::vector<OutcomeRow>& outcomes, uint64_t seed) {
  std::map<std::string, size_t> places;
  for (const OutcomeRow& outcome : outcomes) {
    const core::Model* model = config_.find_model(outcome.model);
    const auto domain = core::domain_index(outcome.domain);
    const bool sane = outcome.score >= 0 && outcome.score <= 1 &&
                      std::isfinite(outcome.difficulty);
    if (model == nullptr || !domain || !sane) {
      ++fit_.unusable;
      continue;
    }
    const auto [place, fresh] =
        places.try_emplace(model->name, fit_.models.size());
    if (fresh) fit_.models.emplace_back().model = model;
    Row row{&outcome,
            place->second,
            *domain,
            0,
            is_held_out(outcome.decision, seed),
            0};
    row.listed = slope_ * (model->ability[*domain] - outcome.difficulty);
    row.fitted = core::sigmoid(row.listed);
    rows_.push_back(row);
  }
  fit_.verdicts = outcomes.size();
}

void Fitter::fit_model(size_t model) {
  ModelFit& fit = fit_.models[model];
  std::vector<learning::CorrectionRow> rows;
  for (const Row& row : rows_) {
    if (row.model != model || row.held_out) continue;
    learning::CorrectionRow& one = rows.emplace_back();
    one.inputs.assign(core::kDomainCount, 0);
    one.inputs[row.domain] = 1;
    one.offset = row.listed;
    one.score = row.outcome->score;
    ++fit.verdicts[row.domain];
  }
  fit.fitted = rows.size();
  if (rows.size() < kFewestOwnOutcomes) return;
  const learning::Correction correction =
      learning::fit_correction(rows, kPenalty);
  for (size_t d = 0; d < core::kDomainCount; ++d) {
    fit.shift[d] = shift_of(correction, d) / slope_;
  }
  for (Row& row : rows_) {
    if (row.model != model) continue;
    row.fitted = core::sigmoid(row.listed + slope_ * fit.shift[row.domain]);
  }
}

// The mean score that a model's training part has, drawn to a half if it is
// small.
double Fitter::constant_of(size_t model) const {
  double sum = 1, count = 2;
  for (const Row& row : rows_) {
    if (row.model != model || row.held_out) continue;
    sum += row.outcome->score;
    ++count;
  }
  return sum / count;
}

void Fitter::measure(uint64_t seed) {
  std::vector<double> constants;
  for (size_t m = 0; m < fit_.models.size(); ++m) {
    constants.push_back(constant_of(m));
  }
  std::vector<float> errors;  // squared: fit, listed, constant
  for (const Row& row : rows_) {
    if (!row.held_out) continue;
    const double score = row.outcome->score;
    const double guesses[] = {row.fitted, core::sigmoid(row.listed),
                              constants[row.model]};
    for (const double guess : guesses) {
      errors.push_back(static_cast<float>((guess - score) * (guess - score)));
    }
    ++fit_.held_out;
    const auto right = [&](double guess) {
      return (guess >= 0.5) == (score >= 0.5) ? 1.0 : 0.0;
    };
    fit_.accuracy += right(guesses[0]);
    fit_.constant_accuracy += right(guesses[2]);
  }
  if (fit_.held_out == 0) return;
  const auto n = static_cast<double>(fit_.held_out);
  fit_.accuracy /= n;
  fit_.constant_accuracy /= n;
  double* const sums[] = {&fit_.brier, &fit_.listed_brier,
                          &fit_.constant_brier};
  for (size_t i = 0; i < errors.size(); ++i) {
    *sums[i % 3] += static_cast<double>(errors[i]) / n;
  }
  std::vector<uint64_t> each(fit_.held_out);  // verdicts, whatever the prompt
  std::iota(each.begin(), each.end(), 0);
  const auto means = learning::resampled_means(errors, 3, each, {.seed = seed});
  std::vector<double> gains;
  for (size_t i = 0; i + 2 < means.size(); i += 3) {
    gains.push_back(std::min(means[i + 1], means[i + 2]) - means[i]);
  }
  fit_.gain = learning::interval_95(std::move(gains));
}

// What asking that model would have been worth, by the fit and its means.
double Fitter::estimated_reward(const Row& row, size_t model) const {
  const ModelFit& fit = fit_.models[model];
  const double good =
      core::sigmoid(slope_ * (fit.model->ability[row.domain] +
                              fit.shift[row.domain] - row.outcome->difficulty));
  return core::reward({good, fit.usd, fit.seconds}, worth_);
}

void Fitter::measure_models() {
  for (const Row& row : rows_) {
    if (!row.held_out) continue;
    ModelFit& fit = fit_.models[row.model];
    ++fit.held_out;
    fit.mean += row.outcome->score;
    fit.usd += core::Money{row.outcome->cost_pico.value_or(0)}.usd();
    fit.seconds += static_cast<double>(row.outcome->ms) / 1000;
  }
  for (ModelFit& fit : fit_.models) {
    const double n = std::max(1.0, static_cast<double>(fit.held_out));
    fit.mean /= n;
    fit.usd /= n;
    fit.seconds /= n;
    fit.reward = core::reward({fit.mean, fit.usd, fit.seconds}, worth_);
  }
  for (const Row& row : rows_) {
    if (!row.held_out) continue;
    std::vector<double> rewards;
    for (size_t m = 0; m < fit_.models.size(); ++m) {
      rewards.push_back(estimated_reward(row, m));
    }
    const double best = *std::max_element(rewards.begin(), rewards.end());
    for (size_t m = 0; m < rewards.size(); ++m) {
      fit_.models[m].regret +=
          (best - rewards[m]) / static_cast<double>(fit_.held_out);
    }
  }
}

LedgerFit Fitter::fit(const std::vector<OutcomeRow>& outcomes, uint64_t seed) {
  take(outcomes, seed);
  for (size_t m = 0; m < fit_.models.size(); ++m) fit_model(m);
  measure(seed);
  measure_models();
  std::sort(fit_.models.begin(), fit_.models.end(),
            [](const ModelFit& a, const ModelFit& b) {
              return a.model->name < b.model->name;
            });
  return std::move(fit_);
}

std::string fit_text(const LedgerFit& fit) {
  std::string text = fmt::format(
      "verdicts   {}, {} held out, {} of models that are not configured\n"
      "accuracy   {:.3f}, of each model's mean score {:.3f}\n"
      "Brier      {:.4f}, by listed abilities {:.4f}, by mean scores {:.4f}\n"
      "gain       {:+.4f} to {:+.4f} over the better of both (95 %)\n\n",
      fit.verdicts, fit.held_out, fit.unusable, fit.accuracy,
      fit.constant_accuracy, fit.brier, fit.listed_brier, fit.constant_brier,
      fit.gain.low, fit.gain.high);
  base::Table table("lrrrrrr");
  table.add_row(
      {"ALWAYS", "FITTED TO", "HELD OUT", "SCORE", "USD", "SECONDS", "REGRET"});
  for (const ModelFit& m : fit.models) {
    table.add_row({m.model->name, fmt::format("{}", m.fitted),
                   fmt::format("{}", m.held_out), fmt::format("{:.3f}", m.mean),
                   fmt::format("{:.6f}", m.usd),
                   fmt::format("{:.2f}", m.seconds),
                   fmt::format("{:.6f}", m.regret)});
  }
  return text + table.render();
}

std::string fit_json(const LedgerFit& fit, bool written) {
  base::JsonWriter json;
  json.begin_object().field("schema", "llmroute.train-ledger/1");
  json.field("verdicts", fit.verdicts).field("unusable", fit.unusable);
  json.field("held_out", fit.held_out).field("accuracy", fit.accuracy);
  json.field("constant_accuracy", fit.constant_accuracy);
  json.field("brier", fit.brier).field("listed_brier", fit.listed_brier);
  json.field("constant_brier", fit.constant_brier);
  json.key("gain_95").begin_array();
  json.value(fit.gain.low).value(fit.gain.high).end_array();
  json.field("written", written).key("models").begin_array();
  for (const ModelFit& m : fit.models) {
    json.begin_object().field("name", m.model->name);
    json.field("fitted_to", m.fitted).field("held_out", m.held_out);
    json.field("score", m.mean).field("usd", m.usd);
    json.field("seconds", m.seconds).field("reward_usd", m.reward);
    json.field("regret_usd", m.regret).key("shift").begin_object();
    for (size_t d = 0; d < core::kDomainCount; ++d) {
      json.field(core::kDomainNames[d], m.shift[d]);
    }
    json.end_object().end_object();
  }
  json.end_array().end_object();
  return json.take() + "\n";
}

Result<std::vector<OutcomeRow>> read_rows(
    const TrainOptions& options, const base::Environment& environment) {
  const auto place = ledger_place(options.ledger, environment);
  if (!place) {
    return Error{ErrorKind::kUsage, "train: --from-ledger, but it is off"};
  }
  if (!base::file_exists(*place)) {
    return Error{ErrorKind::kNoInput,
                 fmt::format("there is no ledger '{}'", *place)};
  }
  LLMROUTE_TRY(const std::string path, store::ledger_path(*place));
  LLMROUTE_TRY(store::Ledger ledger,
               store::Ledger::open(path, {.read_only = true}));
  return store::read_outcomes(ledger.database());
}

}  // namespace

LedgerFit fit_ledger(const core::Config& config,
                     const std::vector<OutcomeRow>& rows, double slope,
                     const core::Worth& worth, uint64_t seed) {
  return Fitter(config, slope, worth).fit(rows, seed);
}

std::string fit_config(const LedgerFit& fit) {
  std::string text =
      "# Abilities fitted by llmroute train --from-ledger. The configuration\n"
      "# takes them as they are where it has no such section; else put each\n"
      "# ability into the section that is there.\n";
  for (const ModelFit& m : fit.models) {
    if (m.fitted < kFewestOwnOutcomes) continue;
    text += fmt::format("\n[models.{}]\nability = {{",
                        config::key_text(m.model->name));
    for (size_t d = 0; d < core::kDomainCount; ++d) {
      text +=
          fmt::format("{} {} = {:.3f}", d == 0 ? "" : ",",
                      core::kDomainNames[d], m.model->ability[d] + m.shift[d]);
    }
    text += " }\n";
  }
  return text;
}

Result<ExitStatus> train_from_ledger(const TrainOptions& options,
                                     const base::Environment& environment) {
  if (!options.files.empty()) {
    return Error{ErrorKind::kUsage, "train: --from-ledger reads no files"};
  }
  LLMROUTE_TRY(const core::Config config,
               config::load(options.config, environment));
  LLMROUTE_CHECK(check_router_model(config));
  LLMROUTE_TRY(const analyzer::Analyzer installed, router_model(config));
  LLMROUTE_TRY(const auto rows, read_rows(options, environment));
  const core::Profile* profile = config.find_profile(config.default_profile);
  const double slope = installed.analyze({"", ""}).slope;
  const LedgerFit fit = fit_ledger(
      config, rows, slope, profile != nullptr ? profile->worth : core::Worth(),
      options.seed);
  if (fit.held_out == 0 && !options.force) {
    return Error{ErrorKind::kData,
                 fmt::format("train: {} verdicts in the ledger are too few to "
                             "hold some out (llmroute feedback and run --check "
                             "give more; --force writes what these say)",
                             rows.size())};
  }
  const bool write = options.force || fit.beats_constant();
  if (write) {
    LLMROUTE_CHECK(write_result(*options.output, fit_config(fit), 0644));
  }
  LLMROUTE_CHECK(print_report(
      options.format == Format::kJson ? fit_json(fit, write) : fit_text(fit),
      write && options.output == "-", options.messages));
  if (write) return ExitStatus::kOk;
  Messages(options.messages)
      .warn(fmt::format("'{}' was not written: not better than the best "
                        "constant on held-out verdicts (--force writes it all "
                        "the same)",
                        *options.output));
  return ExitStatus::kNegative;
}

}  // namespace llmroute::app
