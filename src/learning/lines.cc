#include "learning/lines.h"

#include <fmt/format.h>

#include <utility>

#include "base/text.h"

namespace llmroute::learning {
namespace {

constexpr size_t kBlock = size_t{1} << 18;
constexpr size_t kLongestLine = size_t{64} << 20;

std::string_view without_trimmings(std::string_view line, bool first) {
  if (first && line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return base::trim(line).empty() ? std::string_view() : line;
}

}  // namespace

base::Result<LineReader> LineReader::open(const std::string& path) {
  LLMROUTE_TRY(TextFile file, TextFile::open(path));
  return LineReader(path, std::move(file));
}

// Reads one more block behind what is left; false at the end of the file.
base::Result<bool> LineReader::fill() {
  buffer_.erase(0, at_);
  at_ = 0;
  const size_t used = buffer_.size();
  buffer_.resize(used + kBlock);
  auto got = file_.read(buffer_.data() + used, kBlock);
  if (!got) {
    return with_context(fmt::format("{}: after line {}", path_, number_),
                        std::move(got).error());
  }
  buffer_.resize(used + *got);
  return *got > 0;
}

base::Result<bool> LineReader::next(std::string_view& line) {
  size_t searched = at_;
  for (;;) {
    const size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos || (ended_ && at_ < buffer_.size())) {
      line = std::string_view(buffer_).substr(at_, end - at_);
      at_ = end == std::string::npos ? buffer_.size() : end + 1;
      line = without_trimmings(line, ++number_ == 1);
      return true;
    }
    if (ended_) return false;
    const size_t pending = buffer_.size() - at_;
    if (pending > kLongestLine) {
      return base::Error{base::ErrorKind::kData,
                         fmt::format("{}:{}: line longer than {} MiB", path_,
                                     number_ + 1, kLongestLine >> 20)};
    }
    LLMROUTE_TRY(const bool more, fill());
    searched = pending;
    ended_ = !more;
  }
}

}  // namespace llmroute::learning
