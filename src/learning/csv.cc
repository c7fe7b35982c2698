#include "learning/csv.h"

#include <fmt/format.h>

#include <algorithm>

namespace llmroute::learning {
namespace {

constexpr size_t kLongestField = size_t{64} << 20;
constexpr size_t kMostFields = 10'000;
constexpr std::string_view kMark = "\xef\xbb\xbf";

}  // namespace

std::string_view CsvParser::operator[](size_t column) const {
  const size_t begin = column == 0 ? 0 : ends_[column - 1];
  return std::string_view(text_).substr(begin, ends_[column] - begin);
}

base::Error CsvParser::bad(std::string what) const {
  return {base::ErrorKind::kData,
          fmt::format("record {} (line {}): {}", record_, line_, what)};
}

void CsvParser::begin_record() {
  complete_ = false;
  empty_ = true;
  text_.clear();
  ends_.clear();
  ++record_;
  line_ = lines_;
}

bool CsvParser::keeps() const {
  return ends_.size() >= wanted_.size() || wanted_[ends_.size()];
}

void CsvParser::keep(std::string_view bytes) {
  if (!bytes.empty()) empty_ = false;
  if (keeps()) text_ += bytes;
}

base::Status CsvParser::end_field() {
  ends_.push_back(text_.size());
  const size_t begin = ends_.size() == 1 ? 0 : ends_[ends_.size() - 2];
  if (text_.size() - begin > kLongestField) {
    return bad(fmt::format("a field over {} MiB", kLongestField >> 20));
  }
  if (ends_.size() > kMostFields) {
    return bad(fmt::format("more than {} fields", kMostFields));
  }
  state_ = State::kFieldStart;
  return {};
}

// False for an empty line, which is no record.
base::Result<bool> CsvParser::end_record() {
  const bool blank = empty_ && ends_.empty();
  LLMROUTE_CHECK(end_field());
  complete_ = true;
  if (blank) --record_;
  return !blank;
}

// Up to the quote that ends the field or begins a doubled one.
base::Status CsvParser::take_quoted(std::string_view& bytes) {
  const size_t quote = std::min(bytes.find('"'), bytes.size());
  const std::string_view part = bytes.substr(0, quote);
  lines_ += std::count(part.begin(), part.end(), '\n');
  keep(part);
  if (text_.size() > kLongestField + (ends_.empty() ? 0 : ends_.back())) {
    return bad(fmt::format("a field over {} MiB", kLongestField >> 20));
  }
  bytes.remove_prefix(quote);
  if (bytes.empty()) return {};
  bytes.remove_prefix(1);
  state_ = State::kQuote;
  return {};
}

base::Status CsvParser::take_plain(std::string_view& bytes) {
  const size_t end = std::min(bytes.find_first_of(",\r\n"), bytes.size());
  keep(bytes.substr(0, end));
  bytes.remove_prefix(end);
  if (text_.size() > kLongestField + (ends_.empty() ? 0 : ends_.back())) {
    return bad(fmt::format("a field over {} MiB", kLongestField >> 20));
  }
  return {};
}

// One step of the automaton; true if it completed a record.
base::Result<bool> CsvParser::step(std::string_view& bytes) {
  const char c = bytes.front();
  if (state_ == State::kQuoted) {
    LLMROUTE_CHECK(take_quoted(bytes));
    return false;
  }
  if (state_ == State::kQuote && c == '"') {
    keep("\"");
    bytes.remove_prefix(1);
    state_ = State::kQuoted;
    return false;
  }
  if (state_ == State::kCr && c != '\n') {
    keep("\r");  // by itself it is text
    state_ = State::kPlain;
    return false;
  }
  if (state_ == State::kQuoteCr && c != '\n') {
    return bad("text after a closing quote");
  }
  if (c == ',' || c == '\n' || c == '\r') {
    bytes.remove_prefix(1);
    if (c == '\r') {
      state_ = state_ == State::kQuote ? State::kQuoteCr : State::kCr;
      return false;
    }
    if (c == ',') {
      empty_ = false;
      LLMROUTE_CHECK(end_field());
      return false;
    }
    ++lines_;
    return end_record();
  }
  if (state_ == State::kQuote) return bad("text after a closing quote");
  if (state_ == State::kFieldStart && c == '"') {
    empty_ = false;
    bytes.remove_prefix(1);
    state_ = State::kQuoted;
    return false;
  }
  state_ = State::kPlain;
  LLMROUTE_CHECK(take_plain(bytes));
  return false;
}

base::Result<bool> CsvParser::feed(std::string_view& bytes) {
  while (mark_bytes_ < kMark.size() && !bytes.empty()) {
    if (bytes.front() != kMark[mark_bytes_]) {
      if (mark_bytes_ > 0) return bad("begins with half a byte order mark");
      mark_bytes_ = kMark.size();
      break;
    }
    bytes.remove_prefix(1);
    ++mark_bytes_;
  }
  while (!bytes.empty()) {
    if (complete_) begin_record();
    LLMROUTE_TRY(const bool whole, step(bytes));
    if (whole) return true;
  }
  return false;
}

base::Result<bool> CsvParser::finish() {
  if (complete_) return false;
  if (state_ == State::kQuoted) return bad("a quote that is never closed");
  if (state_ == State::kCr) keep("\r");
  return end_record();
}

}  // namespace llmroute::learning
