#include "learning/figure_file.h"

#include <simdjson.h>

#include <utility>

#include "base/files.h"

namespace llmroute::learning {
namespace {

constexpr size_t kLargestReport = size_t{64} << 20;

}  // namespace

base::Result<std::vector<FiledFigure>> read_figures(const std::string& path) {
  LLMROUTE_TRY(const std::string text, base::read_file(path, kLargestReport));
  const base::Error bad{base::ErrorKind::kData,
                        path + ": not a report of 'bench --json' with files"};
  simdjson::dom::parser parser;
  simdjson::dom::element report;
  simdjson::dom::array figures;
  std::string_view schema;
  if (parser.parse(text).get(report) != simdjson::SUCCESS ||
      report["schema"].get(schema) != simdjson::SUCCESS ||
      schema != "llmroute.bench/1" ||
      report["figures"].get(figures) != simdjson::SUCCESS) {
    return bad;
  }
  std::vector<FiledFigure> all;
  for (const simdjson::dom::element element : figures) {
    FiledFigure figure;
    std::string_view name, study;
    if (element["name"].get(name) != simdjson::SUCCESS ||
        element["value"].get(figure.value) != simdjson::SUCCESS) {
      return bad;
    }
    if (element["study"].get(study) != simdjson::SUCCESS) return bad;
    double low = 0, high = 0;
    if (element["low"].get(low) == simdjson::SUCCESS &&
        element["high"].get(high) == simdjson::SUCCESS) {
      figure.low = low;
      figure.high = high;
    }
    figure.name = name;
    figure.study = study;
    all.push_back(std::move(figure));
  }
  return all;
}

}  // namespace llmroute::learning
