#include "app/bench_rows.h"

#include <fmt/format.h>

#include <chrono>

#include "app/training_set.h"
#include "learning/row_reader.h"

namespace llmroute::app {
namespace {

using std::chrono::steady_clock;

// Calls visit(row, line) for those that a training of the file holds out, and
// the analyzer's did. All are read first: any may join others into one prompt.
template <class Visit>
base::Status for_each_held_out(learning::RowReader& reader,
                               const analyzer::Analyzer& analyzer,
                               const Visit& visit) {
  std::vector<learning::Row> rows;
  std::vector<int64_t> lines;
  for (;;) {
    LLMROUTE_TRY(std::optional<learning::Row> row, reader.next());
    if (!row) break;
    rows.push_back(*std::move(row));
    lines.push_back(reader.line());
  }
  const std::vector<Part> parts = parts_of(rows, [&](const learning::Row& row) {
    return trained_on(analyzer, row);
  });
  for (size_t i = 0; i < rows.size(); ++i) {
    if (parts[i] != Part::kTest) continue;
    LLMROUTE_CHECK(visit(rows[i], lines[i]));
  }
  return {};
}

// Calls visit(row, line) for the rows of the part asked for.
template <class Visit>
base::Status for_each_row(const std::string& path,
                          const analyzer::Analyzer& analyzer,
                          const RowChoice& choice, const Visit& visit) {
  LLMROUTE_TRY(learning::RowReader reader, learning::RowReader::open(path));
  if (choice.test_part) return for_each_held_out(reader, analyzer, visit);
  for (;;) {
    LLMROUTE_TRY(const std::optional<learning::Row> row, reader.next());
    if (!row) return {};
    LLMROUTE_CHECK(visit(*row, reader.line()));
  }
}

using Nanoseconds = std::chrono::duration<float, std::nano>;

core::Prompt prompt_of(const learning::Row& row) {
  core::Prompt prompt;
  core::Message& message = prompt.messages.emplace_back();
  if (!row.context.empty()) message.text = row.context + "\n\n";
  prompt.instruction_begin = message.text.size();
  message.text += row.prompt;
  return prompt;
}

// As `run` decides when all keys are set; the time of it is `took`.
base::Status decide(const learning::Row& row, const core::Analysis& analysis,
                    const routing::Router& router, core::Decision& decision,
                    Nanoseconds& took) {
  const core::Prompt prompt = prompt_of(row);
  const core::RoutingOptions options;
  const auto begin = steady_clock::now();
  LLMROUTE_CHECK(
      router.decide({prompt, analysis, options, {}, {}, {}}, decision));
  took = steady_clock::now() - begin;
  return {};
}

}  // namespace

base::Status read_rows(const std::string& path,
                       const analyzer::Analyzer& analyzer,
                       const ReadingOptions& options,
                       learning::StudyRows& rows) {
  core::Decision decision;  // its memory is used again
  Nanoseconds decided{};
  const std::string name = learning::shown_path(path);
  rows.files.push_back(name);
  if (options.status != nullptr) options.status->begin("reading " + name);
  const auto visit = [&](const learning::Row& row,
                         int64_t line) -> base::Status {
    const auto begin = steady_clock::now();
    const core::Analysis analysis = analyzer.analyze({row.prompt, row.context});
    const auto analysed = steady_clock::now();
    if (options.times != nullptr) {
      LLMROUTE_CHECK(decide(row, analysis, *options.router, decision, decided));
      const Nanoseconds first = analysed - begin;
      options.times->analysis_ns.push_back(first.count());
      options.times->all_ns.push_back((first + decided).count());
    }
    const bool trained = trained_on(analyzer, row);
    rows.add_label(row, analysis, line, trained);
    if (row.has_outcomes() && trained && !options.choice.trained) {
      rows.leave_out(line);
    } else if (row.has_outcomes()) {
      rows.add_outcomes(row, analysis, line);
      if (options.kept) options.kept(row);
    }
    if (options.status != nullptr) options.status->add_row();
    return {};
  };
  return for_each_row(path, analyzer, options.choice, visit);
}

base::Status for_each_kept(
    const std::string& path, const analyzer::Analyzer& analyzer,
    const RowChoice& choice,
    const std::function<base::Status(const learning::Row&)>& visit) {
  return for_each_row(path, analyzer, choice,
                      [&](const learning::Row& row, int64_t) -> base::Status {
                        const bool kept =
                            row.has_outcomes() &&
                            (choice.trained || !trained_on(analyzer, row));
                        return kept ? visit(row) : base::Status();
                      });
}

base::Status check_not_trained_on(const learning::StudyRows& rows) {
  const auto refused = [&](const learning::TrainedRows& trained) {
    return base::Error{
        base::ErrorKind::kData,
        fmt::format("{}:{}: the router model was trained on this prompt ({} "
                    "such rows; --part test measures those it was not)",
                    rows.files[trained.file], trained.line, trained.count)};
  };
  const learning::TrainedRows& outcomes = rows.trained_outcomes;
  if (outcomes.count * 1000 > outcomes.count + rows.rows.size()) {
    return refused(outcomes);
  }
  const learning::TrainedRows& labels = rows.trained_labels;
  if (labels.count > rows.labels.size()) return refused(labels);
  return {};
}

}  // namespace llmroute::app
