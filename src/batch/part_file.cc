#include "batch/part_file.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <utility>

#include "base/paths.h"
#include "batch/file_lock.h"

namespace llmroute::batch {
namespace {

using base::ErrorKind;

constexpr size_t kBuffer = size_t{64} << 10;
constexpr char kPart[] = ".part";
constexpr int kMostAttempts = 100;  // to be the one who writes it

bool is_special(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode);
}

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
  const std::string path = base::resolve_links(out) + kPart;
  for (int i = 0; i < kMostAttempts; ++i) {
    base::Descriptor before;
    if (!is_special(out)) {
      LLMROUTE_TRY(before, lock_name(path));
    }
    auto file = base::ReplacementFile::create(out, 0666, kPart);
    if (!file && (i > 0 || !base::file_exists(path))) return file.error();
    if (!file) continue;  // another may have been faster
    if (file->in_place()) return PartFile(*std::move(file), existing);
    LLMROUTE_CHECK(lock_file(file->fd(), path));
    if (is_still(file->fd(), path)) {
      return PartFile(*std::move(file), existing);
    }
  }
  return base::Error{ErrorKind::kTryLater, fmt::format("'{}' is in use", path)};
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
  // Open until it has its name: whoever finds the part unlocked replaces it.
  LLMROUTE_CHECK(file_.commit_open());
  return digest;
}

}  // namespace llmroute::batch
