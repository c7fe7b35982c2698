// Lines of a text file, gzipped or not, one at a time. Split on LF only: other
// line separators of Unicode are part of the text.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace llmroute::learning {

// One thread.
class LineReader {
 public:
  // Cannot be opened: kNoInput.
  static base::Result<LineReader> open(const std::string& path);
  LineReader(LineReader&&) noexcept;
  ~LineReader();

  // The next line without its LF, in `line`, valid until the next call; false
  // at the end. A damaged or truncated gzip stream, a failed read or a line
  // over 64 MiB: kData, with the file and the line's number.
  base::Result<bool> next(std::string_view& line);
  // Of the line that was read last; the first is 1.
  int64_t number() const { return number_; }
  const std::string& path() const { return path_; }

 private:
  struct Stream;
  LineReader(std::string path, std::unique_ptr<Stream> stream);
  base::Result<bool> fill();

  std::string path_;
  std::unique_ptr<Stream> stream_;
  std::string buffer_;
  size_t at_ = 0;  // first byte of buffer_ not handed out
  int64_t number_ = 0;
  bool ended_ = false;
};

}  // namespace llmroute::learning
