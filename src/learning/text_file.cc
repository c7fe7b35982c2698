#include "learning/text_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <zlib.h>

#include <cerrno>
#include <utility>

#include "base/files.h"

namespace llmroute::learning {
namespace {

constexpr unsigned kBlock = 1U << 18;

}  // namespace

struct TextFile::Stream {
  explicit Stream(gzFile opened) : file(opened) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { gzclose_r(file); }
  gzFile file;
};

base::Result<TextFile> TextFile::open(const std::string& path) {
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
  return TextFile(std::make_unique<Stream>(stream));
}

TextFile::TextFile(std::unique_ptr<Stream> stream)
    : stream_(std::move(stream)) {}
TextFile::TextFile(TextFile&&) noexcept = default;
TextFile::~TextFile() = default;

base::Result<size_t> TextFile::read(char* bytes, size_t size) {
  const int got = gzread(stream_->file, bytes, static_cast<unsigned>(size));
  int status = Z_OK;
  const char* message = gzerror(stream_->file, &status);
  if (got < 0 || (status != Z_OK && status != Z_STREAM_END)) {
    return base::Error{base::ErrorKind::kData, message};
  }
  return static_cast<size_t>(got);
}

}  // namespace llmroute::learning
