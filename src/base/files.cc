#include "base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace llmroute::base {

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

void Descriptor::reset() {
  if (fd_ >= 0) ::close(release());
}

std::string errno_text(int error) { return std::strerror(error); }

namespace {

void wait_ready(int fd, short events) {
  pollfd one{fd, events, 0};
  ::poll(&one, 1, -1);
}

Error io_error(ErrorKind kind, const std::string& what,
               const std::string& path) {
  return {kind, fmt::format("{} '{}': {}", what, path, errno_text(errno))};
}

// A regular file may be replaced by rename; a FIFO or device is written in
// place.
bool is_special_file(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return false;
  return !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

Status write_in_place(const std::string& path, std::string_view bytes) {
  Descriptor out(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!out.valid())
    return io_error(ErrorKind::kCannotCreate, "cannot open", path);
  errno = write_all(out.get(), bytes);
  if (errno != 0) return io_error(ErrorKind::kIo, "cannot write", path);
  return {};
}

}  // namespace

Result<std::string> read_all(int fd, size_t limit, const std::string& name) {
  std::string text;
  for (;;) {
    const size_t used = text.size();
    text.resize(used + (used < 65536 ? 65536 : used));
    const ssize_t got = ::read(fd, text.data() + used, text.size() - used);
    text.resize(used + (got > 0 ? static_cast<size_t>(got) : 0));
    if (got == 0) return text;
    if (got < 0 && errno == EAGAIN) {
      wait_ready(fd, POLLIN);
    } else if (got < 0 && errno != EINTR) {
      return io_error(ErrorKind::kNoInput, "cannot read", name);
    }
    if (text.size() > limit) {
      return Error{ErrorKind::kData, fmt::format("'{}' is larger than {} MiB",
                                                 name, limit >> 20)};
    }
  }
}

Result<std::string> read_file(const std::string& path, size_t limit) {
  const Descriptor in(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!in.valid()) return io_error(ErrorKind::kNoInput, "cannot open", path);
  return read_all(in.get(), limit, path);
}

int write_all(int fd, std::string_view bytes, const volatile bool* stop) {
  while (!bytes.empty()) {
    if (stop != nullptr && *stop) return EINTR;
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put >= 0) {
      bytes.remove_prefix(static_cast<size_t>(put));
    } else if (errno == EAGAIN) {
      wait_ready(fd, POLLOUT);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

Status replace_file(const std::string& path, std::string_view bytes,
                    unsigned mode) {
  if (is_special_file(path)) return write_in_place(path, bytes);
  const std::string temporary = fmt::format("{}.{}.tmp", path, ::getpid());
  Descriptor out(::open(temporary.c_str(),
                        O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                        mode));
  if (!out.valid())
    return io_error(ErrorKind::kCannotCreate, "cannot create", path);
  errno = write_all(out.get(), bytes);
  const bool written = errno == 0 && ::fsync(out.get()) == 0 &&
                       ::close(out.release()) == 0 &&
                       std::rename(temporary.c_str(), path.c_str()) == 0;
  if (!written) {
    Error error = io_error(ErrorKind::kIo, "cannot write", path);
    ::unlink(temporary.c_str());
    return error;
  }
  return {};
}

bool file_exists(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0;
}

Status create_directories(const std::string& path) {
  if (path.empty() || file_exists(path)) return {};
  if (const std::string parent = parent_directory(path); parent != path) {
    LLMROUTE_CHECK(create_directories(parent));
  }
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return io_error(ErrorKind::kCannotCreate, "cannot create directory", path);
  }
  return {};
}

std::string parent_directory(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string base_name(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

}  // namespace llmroute::base
