// Comma-separated values by RFC 4180, as they stream in: quoted fields with
// commas, doubled quotes and line ends inside; CRLF or LF between records. A
// byte order mark in front and empty lines are skipped. Columns nobody wants
// are read over and not kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace llmroute::learning {

// The result does not depend on how the bytes are cut. One thread.
class CsvParser {
 public:
  // Consumes bytes from the front of `bytes`. True: a record is complete, the
  // rest of `bytes` is for the next call; false: all are consumed. Text after a
  // closing quote, a field over 64 MiB, a record over 10,000 fields: kData,
  // naming record and line; then the parser is done with.
  base::Result<bool> feed(std::string_view& bytes);
  // At the end of the bytes: whether a last record is complete without its line
  // end. Within quotes: kData.
  base::Result<bool> finish();

  // Of the record that is complete; valid until the next call. A field that is
  // not wanted is empty.
  size_t size() const { return ends_.size(); }
  std::string_view operator[](size_t column) const;
  // Columns beyond `wanted` are wanted.
  void want(std::vector<bool> wanted) { wanted_ = std::move(wanted); }

  int64_t record() const { return record_; }  // the first is 1
  int64_t line() const { return line_; }      // where it begins

 private:
  enum class State { kFieldStart, kPlain, kQuoted, kQuote, kQuoteCr, kCr };

  void begin_record();
  bool keeps() const;
  void keep(std::string_view bytes);
  base::Status end_field();
  base::Result<bool> end_record();
  base::Result<bool> step(std::string_view& bytes);
  base::Status take_quoted(std::string_view& bytes);
  base::Status take_plain(std::string_view& bytes);
  base::Error bad(std::string what) const;

  State state_ = State::kFieldStart;
  bool complete_ = true;  // the fields are of a record that was handed out
  bool empty_ = true;     // nothing of the record but its line end
  std::string text_;
  std::vector<size_t> ends_;  // of each field, in text_
  std::vector<bool> wanted_;
  size_t mark_bytes_ = 0;  // of the byte order mark
  int64_t record_ = 0, line_ = 1, lines_ = 1;
};

}  // namespace llmroute::learning
