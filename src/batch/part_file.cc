#include "batch/part_file.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <utility>

namespace llmroute::batch {
namespace {

using base::ErrorKind;

constexpr size_t kBuffer = size_t{64} << 10;

// Whether something is at `path` that a rename would take away: a file, or a
// link to one or to nothing.
bool is_in_the_way(const std::string& path) {
  struct stat named {
  }, meant{};
  if (::lstat(path.c_str(), &named) != 0) return false;
  return ::stat(path.c_str(), &meant) != 0 || S_ISREG(meant.st_mode);
}

}  // namespace

base::Status check_target(const std::string& out, ExistingOutput existing) {
  struct stat info {};
  if (::stat(out.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
    return base::Error{ErrorKind::kCannotCreate,
                       fmt::format("'{}' is a directory", out)};
  }
  if (existing != ExistingOutput::kRefuse || !is_in_the_way(out)) return {};
  return base::Error{ErrorKind::kCannotCreate,
                     fmt::format("'{}' exists; --force replaces it", out)};
}

base::Result<PartFile> PartFile::create(const std::string& out,
                                        ExistingOutput existing) {
  LLMROUTE_CHECK(check_target(out, existing));
  LLMROUTE_TRY(base::ReplacementFile file,
               base::ReplacementFile::create(out, 0666, ".part"));
  return PartFile(std::move(file), existing);
}

base::Status PartFile::write_line(std::string_view line) {
  buffer_ += line;
  buffer_ += '\n';
  return buffer_.size() < kBuffer ? base::Status() : flush();
}

base::Status PartFile::flush() {
  LLMROUTE_CHECK(file_.write(buffer_));
  hash_.update(buffer_);
  size_ += static_cast<int64_t>(buffer_.size());
  buffer_.clear();
  return {};
}

base::Status PartFile::check_existing(const OutputDigest& digest) const {
  if (existing_ == ExistingOutput::kReplace || !is_in_the_way(file_.target())) {
    return {};
  }
  if (existing_ == ExistingOutput::kCompare) {
    LLMROUTE_TRY(const auto present, read_output_digest(file_.target()));
    if (present == digest) return {};
  }
  return base::Error{ErrorKind::kCannotCreate,
                     fmt::format("kept as '{}': '{}' exists and differs; "
                                 "--force replaces it",
                                 file_.temporary(), file_.target())};
}

base::Result<OutputDigest> PartFile::publish() {
  LLMROUTE_CHECK(flush());
  OutputDigest digest{base::hex(hash_.finish()), size_};
  LLMROUTE_CHECK(check_existing(digest));
  LLMROUTE_CHECK(file_.commit());
  return digest;
}

}  // namespace llmroute::batch
