#include "batch/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace llmroute::batch {
namespace {

using base::Error;
using base::ErrorKind;

// Replacing a file is rare, so more attempts than these are not bad luck.
constexpr int kMostAttempts = 100;

}  // namespace

base::Status lock_file(int fd, const std::string& path) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  for (int i = 0; i < kMostAttempts; ++i) {
    if (::fcntl(fd, F_SETLK, &lock) == 0) return {};
    if (errno != EACCES && errno != EAGAIN && errno != EINTR) {
      return base::io_error(ErrorKind::kOs, "cannot lock", path);
    }
    struct flock holder = lock;
    if (::fcntl(fd, F_GETLK, &holder) == 0 && holder.l_type != F_UNLCK) {
      return Error{
          ErrorKind::kTryLater,
          fmt::format("'{}' is in use by process {}", path, holder.l_pid)};
    }
  }
  return Error{ErrorKind::kTryLater, fmt::format("'{}' is in use", path)};
}

bool is_still(int fd, const std::string& path) {
  struct stat opened {
  }, named{};
  return ::fstat(fd, &opened) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

base::Result<base::Descriptor> lock_name(const std::string& path) {
  constexpr int kFlags =
      O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  for (int i = 0; i < kMostAttempts; ++i) {
    base::Descriptor file(::open(path.c_str(), kFlags, 0600));
    if (!file.valid() && errno == EACCES) return file;
    if (!file.valid()) {
      return base::io_error(ErrorKind::kCannotCreate, "cannot create", path);
    }
    struct stat info {};
    if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
      return base::Descriptor();
    }
    LLMROUTE_CHECK(lock_file(file.get(), path));
    if (is_still(file.get(), path)) return file;
  }
  return Error{ErrorKind::kTryLater, fmt::format("'{}' is in use", path)};
}

}  // namespace llmroute::batch
