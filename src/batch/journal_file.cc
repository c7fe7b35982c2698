#include "batch/journal_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/ownership.h"
#include "batch/file_lock.h"

namespace llmroute::batch {
namespace {

using base::Error;
using base::ErrorKind;

// Replacing a journal is rare, so more attempts than these are not bad luck.
constexpr int kMostAttempts = 100;

Error not_ours(const std::string& path) {
  return {ErrorKind::kNoPermission,
          fmt::format("journal '{}' is owned by another user", path)};
}

Error not_a_file(const std::string& path, const std::string& what) {
  return {ErrorKind::kCannotCreate,
          fmt::format("journal '{}' is {}", path, what)};
}

Error cannot_open(const std::string& path) {
  const Error error =
      base::io_error(ErrorKind::kCannotCreate, "cannot open journal", path);
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return error;
  if (S_ISLNK(info.st_mode)) return not_a_file(path, "a symbolic link");
  if (!S_ISREG(info.st_mode)) return not_a_file(path, "not a regular file");
  if (info.st_uid != ::geteuid()) return not_ours(path);
  return error;
}

base::Status check_file(int fd, const std::string& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return cannot_open(path);
  if (!S_ISREG(info.st_mode)) return not_a_file(path, "not a regular file");
  if (info.st_uid != ::geteuid()) return not_ours(path);
  if (base::others_can_write(info)) {
    return Error{
        ErrorKind::kNoPermission,
        fmt::format("others can write to journal '{}'; chmod 600 it", path)};
  }
  if ((info.st_mode & 07777) != 0600 && ::fchmod(fd, 0600) != 0) {
    return cannot_open(path);
  }
  return {};
}

}  // namespace

base::Result<base::Descriptor> open_journal_file(const std::string& path) {
  constexpr int kFlags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
                         O_NONBLOCK | O_NOCTTY;
  for (int i = 0; i < kMostAttempts; ++i) {
    base::Descriptor file(::open(path.c_str(), kFlags, 0600));
    if (!file.valid()) return cannot_open(path);
    LLMROUTE_CHECK(check_file(file.get(), path));
    LLMROUTE_CHECK(lock_file(file.get(), path));
    if (!is_still(file.get(), path)) continue;
    ::unlink((path + kNewSuffix).c_str());
    return file;
  }
  return Error{ErrorKind::kTryLater, fmt::format("'{}' is in use", path)};
}

}  // namespace llmroute::batch
