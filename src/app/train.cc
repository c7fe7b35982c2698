#include "app/train.h"

#include <fmt/format.h>
#include <unistd.h>

#include <optional>

#include "analyzer/model_file.h"
#include "app/ledger_training.h"
#include "app/messages.h"
#include "app/output.h"
#include "app/own_heads.h"
#include "app/router_model.h"
#include "app/terminal.h"
#include "app/trained_model.h"
#include "app/training_report.h"
#include "app/training_set.h"
#include "base/files.h"
#include "config/load.h"
#include "learning/solver.h"

namespace llmroute::app {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using core::ExitStatus;

// One line on stderr that is written over; nothing unless it is a terminal.
class Progress {
 public:
  explicit Progress(const MessageOptions& options)
      : shown_(!options.quiet && ::isatty(STDERR_FILENO) == 1) {}
  ~Progress() { show(""); }
  void show(const std::string& text) const {
    if (shown_) (void)base::write_all(STDERR_FILENO, "\r\033[K" + text);
  }

 private:
  bool shown_;
};

bool takes_stdout(const TrainOptions& options) {
  return options.output == "-" || options.card == "-";
}

base::Status check(const TrainOptions& options) {
  if (options.files.empty() && !options.from_ledger) {
    return Error{ErrorKind::kUsage, "train: name at least one file of rows"};
  }
  if (!options.output) {
    return Error{ErrorKind::kUsage, "train: name the model file with -o"};
  }
  if (options.from_ledger && (!options.heads.empty() || options.init ||
                              options.card || !options.without.empty())) {
    return Error{ErrorKind::kUsage,
                 "train: --heads, --init, --card and --without do not go with "
                 "--from-ledger, which fits abilities"};
  }
  if (options.output == "-" && !options.from_ledger && stdout_is_terminal()) {
    return Error{ErrorKind::kUsage,
                 "train: a model is nothing for a terminal; redirect it, or "
                 "name a file with -o"};
  }
  LLMROUTE_CHECK(check_read_once(options.files));
  std::vector<std::string> read = options.files;
  if (options.init) read.push_back(*options.init);
  return check_apart({options.output, options.card}, read);
}

// The registry's models hold the scale where no abilities file says more.
learning::Abilities known_abilities(const core::Config& config) {
  learning::Abilities abilities;
  for (const auto& [name, model] : learning::models_by_name(config)) {
    abilities.emplace(name, model->ability);
  }
  return abilities;
}

// A model file to start from, as the solver wants it.
class Start {
 public:
  base::Status load(const std::string& path) {
    const std::string place = "--init '" + path + "'";
    std::string_view bytes = analyzer::embedded_model();
    if (path != "builtin") {
      auto read = analyzer::ModelBytes::read(path);
      if (!read) return with_context(place, std::move(read).error());
      bytes_ = *std::move(read);
      bytes = bytes_.view();
    }
    auto file = analyzer::parse_model(bytes, analyzer::Check::kWhole);
    if (!file) return with_context(place, std::move(file).error());
    model_ = file->model;
    fill();
    return {};
  }

  const analyzer::Model& model() const { return model_; }
  const learning::Solution& solution() const { return solution_; }

 private:
  void fill() {
    solution_.rows.resize(model_.rows.size());
    for (size_t i = 0; i < model_.rows.size(); ++i) {
      for (size_t h = 0; h < analyzer::kHeadCount; ++h) {
        solution_.rows[i][h] =
            model_.gram_scale[h] * static_cast<float>(model_.rows[i].weight[h]);
      }
    }
    solution_.dense.assign(model_.dense.begin(), model_.dense.end());
    solution_.bias = model_.bias;
    solution_.base = model_.base;
  }

  analyzer::ModelBytes bytes_;  // of a file; model_ views them
  analyzer::Model model_;
  learning::Solution solution_;
};

learning::SolverOptions solver_options(const TrainOptions& options,
                                       const std::optional<Start>& start,
                                       const Progress& progress) {
  learning::SolverOptions solver;
  solver.threads = options.threads;
  if (start) solver.initial = &start->solution();
  solver.progress = [&progress](std::string_view what, uint32_t iteration,
                                double value) {
    progress.show(
        fmt::format("{}: iteration {}, loss {:.2f}", what, iteration, value));
  };
  return solver;
}

Result<TrainingSet> read_rows(const TrainOptions& options,
                              const std::optional<Start>& start,
                              const core::Config& config,
                              const Progress& progress) {
  TrainingSetOptions reading;
  reading.abilities = known_abilities(config);
  reading.threads = options.threads;
  reading.seed = options.seed;
  reading.without = options.without;
  reading.progress = [&progress](size_t rows) {
    progress.show(fmt::format("reading: {} rows", rows));
  };
  if (start) {
    reading.bucket_bits = start->model().bucket_bits;
    reading.seen = start->model().seen;
    reading.trained = start->model().trained;
  }
  return read_training_set(options.files, reading);
}

std::string command_line(const TrainOptions& options) {
  std::string line = "llmroute train";
  for (const std::string& file : options.files) {
    line += file == "-" ? " -" : " DATA/" + base::base_name(file);
  }
  for (const std::string& model : options.heads) {
    line += " --heads '" + model + "'";
  }
  for (const std::string& source : options.without) {
    line += " --without '" + source + "'";
  }
  if (options.init) line += " --init " + base::base_name(*options.init);
  if (options.force) line += " --force";
  return line + fmt::format(" --seed {} -o {}", options.seed,
                            base::base_name(*options.output));
}

std::string start_of(const TrainOptions& options) {
  if (!options.init) return "";
  return *options.init == "builtin"
             ? "the built-in model " + analyzer::Analyzer::embedded().id()
             : "`" + base::base_name(*options.init) + "`";
}

base::Status write_files(const TrainOptions& options, const std::string& bytes,
                         const std::string& sha256,
                         const TrainingReport& report, const TrainingSet& set) {
  LLMROUTE_CHECK(write_result(*options.output, bytes, 0644));
  if (!options.card) return {};
  const CardFacts facts{*options.output == "-"
                            ? "on standard output"
                            : base::base_name(*options.output),
                        sha256,
                        command_line(options),
                        start_of(options),
                        options.seed,
                        bytes.size()};
  return write_result(*options.card, model_card(report, set, facts), 0644);
}

base::Status print_report(const TrainOptions& options,
                          const TrainingReport& report, bool written,
                          const std::string& sha256) {
  return app::print_report(options.format == Format::kJson
                               ? report_json(report, written, sha256)
                               : report_text(report),
                           written && takes_stdout(options), options.messages);
}

}  // namespace

Result<ExitStatus> train(const TrainOptions& options,
                         const base::Environment& environment) {
  LLMROUTE_CHECK(check(options));
  if (options.from_ledger) return train_from_ledger(options, environment);
  const Messages messages(options.messages);
  std::optional<Start> start;
  if (options.init) {
    LLMROUTE_CHECK(start.emplace().load(*options.init));
  }
  LLMROUTE_TRY(const core::Config config,
               config::load(options.config, environment));
  LLMROUTE_CHECK(check_router_model(config));
  LLMROUTE_TRY(const analyzer::Analyzer installed, router_model(config));
  std::optional<Progress> progress(std::in_place, options.messages);
  LLMROUTE_TRY(TrainingSet set, read_rows(options, start, config, *progress));
  LLMROUTE_CHECK(check_own_heads(set, options.heads));
  assume_abilities(options.heads, set);
  const learning::SolverOptions solver =
      solver_options(options, start, *progress);
  const learning::Solution solution = learning::solve(set.problem, solver);
  TrainedModel model(solution, set, solver.shrink);
  model.model().slope =
      static_cast<float>(calibrated_slope(model, solution, set));
  if (!options.heads.empty()) {
    model.set_own_heads(
        fit_own_heads(model.model(), solution, set, options.heads));
  }
  const TrainingReport report =
      measure(model, solution, set, {installed, known_abilities(config)});
  progress.reset();

  const std::string bytes = model.bytes(
      {options.seed, set.problem.samples.size(), solver.iterations});
  LLMROUTE_TRY(const analyzer::ModelFile file,
               analyzer::parse_model(bytes, analyzer::Check::kForm));
  const bool write = options.force || report.beats_constant();
  if (write) {
    LLMROUTE_CHECK(write_files(options, bytes, file.sha256, report, set));
  }
  LLMROUTE_CHECK(print_report(options, report, write, file.sha256));
  if (write) return ExitStatus::kOk;
  messages.warn(
      fmt::format("'{}' was not written: {} ({}--force writes it all the same)",
                  *options.output, report.shortcoming(),
                  options.heads.empty() && report.outcomes > 0
                      ? "--heads '*' fits to the models one by one; "
                      : ""));
  return ExitStatus::kNegative;
}

}  // namespace llmroute::app
