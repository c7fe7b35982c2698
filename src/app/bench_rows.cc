#include "app/bench_rows.h"

#include <fmt/format.h>

#include <chrono>

#include "app/training_set.h"
#include "learning/row_reader.h"

namespace llmroute::app {
namespace {

// Calls visit(row, line) for the rows of the part asked for.
template <class Visit>
base::Status for_each_row(const std::string& path, bool test_part,
                          const Visit& visit) {
  LLMROUTE_TRY(learning::RowReader reader, learning::RowReader::open(path));
  for (;;) {
    LLMROUTE_TRY(const std::optional<learning::Row> row, reader.next());
    if (!row) return {};
    if (test_part && part_of(row->prompt) != Part::kTest) continue;
    LLMROUTE_CHECK(visit(*row, reader.line()));
  }
}

}  // namespace

base::Status read_rows(const std::string& path,
                       const analyzer::Analyzer& analyzer,
                       const ReadingOptions& options,
                       learning::StudyRows& rows) {
  using std::chrono::steady_clock;
  rows.files.push_back(path);
  if (options.status != nullptr) options.status->begin("reading " + path);
  const auto visit = [&](const learning::Row& row,
                         int64_t line) -> base::Status {
    const auto begin = steady_clock::now();
    const core::Analysis analysis = analyzer.analyze({row.prompt, row.context});
    const std::chrono::duration<float, std::nano> took =
        steady_clock::now() - begin;
    if (options.analysis_ns != nullptr) {
      options.analysis_ns->push_back(took.count());
    }
    rows.add(row, analysis, line, trained_on(analyzer, row.prompt));
    if (row.has_outcomes() && options.kept) options.kept(row);
    if (options.status != nullptr) options.status->add_row();
    return {};
  };
  return for_each_row(path, options.test_part, visit);
}

base::Status for_each_kept(
    const std::string& path, bool test_part,
    const std::function<base::Status(const learning::Row&)>& visit) {
  return for_each_row(path, test_part,
                      [&](const learning::Row& row, int64_t) -> base::Status {
                        return row.has_outcomes() ? visit(row) : base::Status();
                      });
}

base::Status check_not_trained_on(const learning::StudyRows& rows,
                                  bool test_part) {
  const auto check = [&](const learning::TrainedRows& trained,
                         size_t all) -> base::Status {
    if (trained.count * 1000 <= all) return {};
    return base::Error{
        base::ErrorKind::kData,
        fmt::format("{}:{}: the router model was trained on this prompt ({} "
                    "such rows; {})",
                    rows.files[trained.file], trained.line, trained.count,
                    test_part ? "leave them out"
                              : "--part test measures those it was not")};
  };
  LLMROUTE_CHECK(check(rows.trained_outcomes, rows.rows.size()));
  return check(rows.trained_labels,
               rows.labels.size() + rows.trained_labels.count);
}

}  // namespace llmroute::app
