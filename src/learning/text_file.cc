#include "learning/text_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/files.h"

namespace llmroute::learning {
namespace {

constexpr size_t kBlock = size_t{1} << 18;
constexpr std::string_view kGzip = "\x1f\x8b";

base::Error bad(std::string what) {
  return {base::ErrorKind::kData, std::move(what)};
}

// Moves from the front of `from`.
size_t take(std::string_view& from, char* bytes, size_t size) {
  const size_t got = std::min(size, from.size());
  std::memcpy(bytes, from.data(), got);
  from.remove_prefix(got);
  return got;
}

}  // namespace

struct TextFile::Stream {
  explicit Stream(base::Descriptor opened) : file(std::move(opened)) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() {
    if (packed) inflateEnd(&inflater);
  }

  base::Result<bool> fill();
  base::Status begin();
  base::Result<bool> find_member();
  base::Result<size_t> unpack(char* bytes, size_t size);
  base::Result<size_t> read(char* bytes, size_t size);

  base::Descriptor file;
  std::string input;       // as it is in the file
  std::string_view rest;   // of it, not handed out
  std::string first;       // that was peeked at
  std::string_view ahead;  // of it, not handed out
  bool begun = false, packed = false;
  bool between = false;  // behind a whole gzip member
  z_stream inflater{};
};

// Reads behind what is left; false at the end of the file.
base::Result<bool> TextFile::Stream::fill() {
  std::string more(rest);
  const size_t left = more.size();
  more.resize(left + kBlock);
  ssize_t got = 0;
  do {
    got = ::read(file.get(), more.data() + left, kBlock);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return bad(base::errno_text(errno));
  more.resize(left + static_cast<size_t>(got));
  input = std::move(more);
  rest = input;
  return got > 0;
}

base::Status TextFile::Stream::begin() {
  begun = true;
  while (rest.size() < kGzip.size()) {
    LLMROUTE_TRY(const bool more, fill());
    if (!more) return {};
  }
  if (!rest.starts_with(kGzip)) return {};
  constexpr int kGzipOnly = 16;
  if (inflateInit2(&inflater, MAX_WBITS + kGzipOnly) != Z_OK) {
    return base::Error{base::ErrorKind::kOs, "out of memory"};
  }
  packed = true;
  return {};
}

// Another member may follow, or the zeros of a tape; false at the end.
base::Result<bool> TextFile::Stream::find_member() {
  bool padded = false;
  for (;;) {
    while (!rest.empty() && rest.front() == '\0') {
      rest.remove_prefix(1);
      padded = true;
    }
    if (rest.size() >= kGzip.size()) break;
    LLMROUTE_TRY(const bool more, fill());
    if (more) continue;
    if (rest.empty()) return false;
    break;
  }
  if (padded || !rest.starts_with(kGzip)) {
    return bad("bytes that are not gzipped follow the gzip stream");
  }
  inflateReset(&inflater);
  between = false;
  return true;
}

base::Result<size_t> TextFile::Stream::unpack(char* bytes, size_t size) {
  inflater.next_out = reinterpret_cast<Bytef*>(bytes);
  inflater.avail_out = static_cast<uInt>(size);
  while (inflater.avail_out == size) {
    if (between) {
      LLMROUTE_TRY(const bool more, find_member());
      if (!more) return size_t{0};
    }
    if (rest.empty()) {
      LLMROUTE_TRY(const bool more, fill());
      if (!more) return bad("the gzip stream is cut short");
    }
    inflater.next_in =
        reinterpret_cast<Bytef*>(const_cast<char*>(rest.data()));  // NOLINT
    inflater.avail_in = static_cast<uInt>(rest.size());
    const int status = inflate(&inflater, Z_NO_FLUSH);
    rest.remove_prefix(rest.size() - inflater.avail_in);
    between = status == Z_STREAM_END;
    if (status != Z_OK && status != Z_STREAM_END) {
      return bad(fmt::format("the gzip stream is damaged{}{}",
                             inflater.msg == nullptr ? "" : ": ",
                             inflater.msg == nullptr ? "" : inflater.msg));
    }
  }
  return size - inflater.avail_out;
}

base::Result<size_t> TextFile::Stream::read(char* bytes, size_t size) {
  if (!begun) LLMROUTE_CHECK(begin());
  if (packed) return unpack(bytes, size);
  if (rest.empty()) {
    LLMROUTE_TRY(const bool more, fill());
    if (!more) return size_t{0};
  }
  return take(rest, bytes, size);
}

base::Result<TextFile> TextFile::open(const std::string& path) {
  base::Descriptor file(path == "-"
                            ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                            : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    return base::Error{base::ErrorKind::kNoInput,
                       fmt::format("cannot open '{}': {}", shown_path(path),
                                   base::errno_text(errno))};
  }
  struct stat facts {};
  if (::fstat(file.get(), &facts) == 0 && S_ISDIR(facts.st_mode)) {
    return base::Error{base::ErrorKind::kNoInput,
                       fmt::format("'{0}' is a directory; name the files in it "
                                   "(as in {0}/*.jsonl)",
                                   path)};
  }
  return TextFile(std::make_unique<Stream>(std::move(file)));
}

TextFile::TextFile(std::unique_ptr<Stream> stream)
    : stream_(std::move(stream)) {}
TextFile::TextFile(TextFile&&) noexcept = default;
TextFile::~TextFile() = default;

base::Result<size_t> TextFile::read(char* bytes, size_t size) {
  if (stream_->ahead.empty()) return stream_->read(bytes, size);
  return take(stream_->ahead, bytes, size);
}

base::Result<std::string_view> TextFile::peek() {
  Stream& stream = *stream_;
  if (stream.ahead.empty()) {
    stream.first.resize(kBlock);
    LLMROUTE_TRY(const size_t got,
                 stream.read(stream.first.data(), stream.first.size()));
    stream.ahead = std::string_view(stream.first).substr(0, got);
  }
  return stream.ahead;
}

std::string shown_path(const std::string& path) {
  return path == "-" ? "stdin" : path;
}

}  // namespace llmroute::learning
