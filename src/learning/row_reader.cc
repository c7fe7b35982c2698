#include "learning/row_reader.h"

#include <fmt/format.h>

#include <utility>

#include "base/files.h"
#include "base/text.h"

namespace llmroute::learning {
namespace {

constexpr size_t kBlock = size_t{1} << 18;

base::Error bad(std::string what) {
  return {base::ErrorKind::kData, std::move(what)};
}

// A table does not begin as JSON does.
base::Result<bool> is_table(std::string_view path, TextFile& file) {
  if (path.ends_with(".gz")) path.remove_suffix(3);
  if (path.ends_with(".csv")) return true;
  for (const std::string_view ending : {".jsonl", ".ndjson", ".json"}) {
    if (path.ends_with(ending)) return false;
  }
  auto begin = file.peek();
  if (!begin) return with_context(std::string(path), std::move(begin).error());
  if (begin->starts_with("\xef\xbb\xbf")) begin->remove_prefix(3);
  const std::string_view text = base::trim(*begin);
  return !text.empty() && text.front() != '{' && text.front() != '[';
}

}  // namespace

base::Result<RowReader> RowReader::open(const std::string& path) {
  LLMROUTE_TRY(TextFile file, TextFile::open(path));
  LLMROUTE_TRY(const bool table, is_table(path, file));
  RowReader reader;
  reader.path_ = shown_path(path);
  const std::string name = base::base_name(reader.path_);
  reader.name_ = name.substr(0, name.find('.'));
  if (!table) {
    reader.lines_.emplace(reader.path_, std::move(file));
    return reader;
  }
  reader.table_ =
      std::make_unique<Table>(Table{std::move(file), std::string(kBlock, 0)});
  if (auto header = reader.read_header(); !header) {
    return with_context(reader.path_, std::move(header).error());
  }
  return reader;
}

std::string RowReader::place() const {
  if (lines_) return fmt::format("{}:{}", path_, lines_->number());
  return fmt::format("{}:{}: record {}", path_, table_->parser.line(),
                     table_->parser.record());
}

int64_t RowReader::line() const {
  return lines_ ? lines_->number() : table_->parser.line();
}

base::Result<std::optional<Row>> RowReader::next() {
  return lines_ ? next_of_lines() : next_of_table();
}

base::Result<std::optional<Row>> RowReader::next_of_lines() {
  std::string_view line;
  for (;;) {
    LLMROUTE_TRY(const bool more, lines_->next(line));
    if (!more) return std::optional<Row>();
    if (line.empty()) continue;
    auto row = parser_.parse(line, name_);
    if (!row) return with_context(place(), std::move(row).error());
    return std::optional(*std::move(row));
  }
}

base::Result<bool> RowReader::next_record() {
  Table& table = *table_;
  for (;;) {
    LLMROUTE_TRY(const bool whole, table.parser.feed(table.rest));
    if (whole) return true;
    if (table.ended) return false;
    LLMROUTE_TRY(const size_t got,
                 table.file.read(table.block.data(), table.block.size()));
    table.rest = std::string_view(table.block).substr(0, got);
    if (got > 0) continue;
    table.ended = true;
    return table.parser.finish();
  }
}

base::Status RowReader::read_header() {
  LLMROUTE_TRY(const bool any, next_record());
  std::vector<std::string> names;
  if (any) {
    for (size_t i = 0; i < table_->parser.size(); ++i) {
      names.emplace_back(table_->parser[i]);
    }
  }
  table_->width = names.size();
  const WideColumns& columns = table_->columns.emplace(names);
  if (!columns.has_prompt()) return bad("no column 'prompt' in the header");
  if (columns.models() == 0) return bad("no column of scores in the header");
  if (const auto twice = columns.repeated()) {
    return bad(fmt::format("column '{}' stands twice in the header", *twice));
  }
  table_->parser.want(columns.wanted());
  return {};
}

base::Result<std::optional<Row>> RowReader::next_of_table() {
  auto more = next_record();
  if (!more) return with_context(path_, std::move(more).error());
  if (!*more) return std::optional<Row>();
  auto row = row_of_record();
  if (!row) return with_context(place(), std::move(row).error());
  return std::optional(*std::move(row));
}

base::Result<Row> RowReader::row_of_record() const {
  const Table& table = *table_;
  if (table.parser.size() != table.width) {
    return bad(fmt::format("{} fields, but the header has {}",
                           table.parser.size(), table.width));
  }
  Row row;
  for (size_t i = 0; i < table.width; ++i) {
    LLMROUTE_CHECK(table.columns->set(i, table.parser[i], row));
  }
  std::string_view dataset;
  for (const size_t column : table.columns->datasets()) {
    if (dataset.empty()) dataset = table.parser[column];
  }
  set_source(dataset, std::string(row.group), name_, row);
  return row;
}

}  // namespace llmroute::learning
