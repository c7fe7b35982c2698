#include "learning/lines.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <zlib.h>

#include <cerrno>
#include <utility>

#include "base/files.h"

namespace llmroute::learning {
namespace {

constexpr size_t kBlock = size_t{1} << 18;
constexpr size_t kLongestLine = size_t{64} << 20;

}  // namespace

struct LineReader::Stream {
  explicit Stream(gzFile opened) : file(opened) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { gzclose_r(file); }
  gzFile file;
};

base::Result<LineReader> LineReader::open(const std::string& path) {
  base::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    return base::Error{
        base::ErrorKind::kNoInput,
        fmt::format("cannot open '{}': {}", path, base::errno_text(errno))};
  }
  const gzFile stream = gzdopen(file.get(), "rb");
  if (stream == nullptr) {
    return base::Error{base::ErrorKind::kOs, "out of memory"};
  }
  file.release();
  gzbuffer(stream, kBlock);
  return LineReader(path, std::make_unique<Stream>(stream));
}

LineReader::LineReader(std::string path, std::unique_ptr<Stream> stream)
    : path_(std::move(path)), stream_(std::move(stream)) {}
LineReader::LineReader(LineReader&&) noexcept = default;
LineReader::~LineReader() = default;

// Reads one more block behind what is left; false at the end of the file.
base::Result<bool> LineReader::fill() {
  buffer_.erase(0, at_);
  at_ = 0;
  const size_t used = buffer_.size();
  buffer_.resize(used + kBlock);
  const int got = gzread(stream_->file, buffer_.data() + used, kBlock);
  buffer_.resize(used + (got > 0 ? static_cast<size_t>(got) : 0));
  int status = Z_OK;
  const char* message = gzerror(stream_->file, &status);
  if (got < 0 || (status != Z_OK && status != Z_STREAM_END)) {
    return base::Error{
        base::ErrorKind::kData,
        fmt::format("{}: after line {}: {}", path_, number_, message)};
  }
  return got > 0;
}

base::Result<bool> LineReader::next(std::string_view& line) {
  size_t searched = at_;
  for (;;) {
    const size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos || (ended_ && at_ < buffer_.size())) {
      line = std::string_view(buffer_).substr(at_, end - at_);
      at_ = end == std::string::npos ? buffer_.size() : end + 1;
      ++number_;
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
