// Lines of a text file, gzipped or not, one at a time. Split on LF only: other
// line separators of Unicode are part of the text.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "learning/text_file.h"

namespace llmroute::learning {

// One thread.
class LineReader {
 public:
  // Cannot be opened: kNoInput.
  static base::Result<LineReader> open(const std::string& path);
  // `path`: for messages.
  LineReader(std::string path, TextFile file)
      : path_(std::move(path)), file_(std::move(file)) {}

  // The next line without its LF, a CR before it and a byte order mark at the
  // file's begin, in `line`, valid until the next call; empty if it holds only
  // blanks; false at the end. A damaged or truncated gzip stream, a failed read
  // or a line over 64 MiB: kData, with the file and the line's number.
  base::Result<bool> next(std::string_view& line);
  // Of the line that was read last; the first is 1.
  int64_t number() const { return number_; }
  const std::string& path() const { return path_; }

 private:
  base::Result<bool> fill();

  std::string path_;
  TextFile file_;
  std::string buffer_;
  size_t at_ = 0;  // first byte of buffer_ not handed out
  int64_t number_ = 0;
  bool ended_ = false;
};

}  // namespace llmroute::learning
