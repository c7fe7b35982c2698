// Rows of a file of data, one at a time: JSON lines or RouterBench's wide
// table, by the file's name or else by how it begins; either may be gzipped.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "learning/csv.h"
#include "learning/lines.h"
#include "learning/rows.h"
#include "learning/wide_table.h"

namespace llmroute::learning {

// One thread. Holds one row and one block of the file.
class RowReader {
 public:
  // "-" is standard input. Cannot be opened: kNoInput. A table without a prompt
  // or a model: kData.
  static base::Result<RowReader> open(const std::string& path);

  // The next row; nothing at the end. Anything off: kData, naming file and
  // line, and in a table the record.
  base::Result<std::optional<Row>> next();
  // Of the row read last: "rows.jsonl:12", "table.csv:40: record 7".
  std::string place() const;
  int64_t line() const;  // of the row read last

 private:
  struct Table {
    TextFile file;
    std::string block;
    std::string_view rest = {};  // of the block
    CsvParser parser = {};
    std::optional<WideColumns> columns = {};
    size_t width = 0;
    bool ended = false;
  };

  RowReader() = default;
  base::Result<std::optional<Row>> next_of_lines();
  base::Result<std::optional<Row>> next_of_table();
  base::Result<bool> next_record();
  base::Status read_header();
  base::Result<Row> row_of_record() const;

  std::string path_, name_;  // name_: up to the first point
  RowParser parser_;
  std::optional<LineReader> lines_;
  std::unique_ptr<Table> table_;
};

}  // namespace llmroute::learning
