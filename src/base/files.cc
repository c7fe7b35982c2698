#include "base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

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

// What `path` leads to, if anything is there; else `path` itself.
std::string resolve_links(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(
      ::realpath(path.c_str(), nullptr), &std::free);
  return real ? std::string(real.get()) : path;
}

mode_t current_umask() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return mask;
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

int write_all(int fd, std::string_view bytes, const std::atomic<bool>* stop) {
  while (!bytes.empty()) {
    if (stop != nullptr && stop->load()) return EINTR;
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

ReplacementFile::ReplacementFile(std::string path, std::string temporary,
                                 Descriptor out)
    : path_(std::move(path)),
      temporary_(std::move(temporary)),
      out_(std::move(out)) {}

ReplacementFile::~ReplacementFile() {
  if (out_.valid() && !temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<ReplacementFile> ReplacementFile::create(const std::string& path,
                                                unsigned mode) {
  const std::string target = resolve_links(path);
  struct stat old {};
  const bool exists = ::stat(target.c_str(), &old) == 0;
  if (exists && S_ISDIR(old.st_mode)) {
    errno = EISDIR;
    return io_error(ErrorKind::kCannotCreate, "cannot write", path);
  }
  if (exists && !S_ISREG(old.st_mode)) {
    Descriptor out(::open(target.c_str(), O_WRONLY | O_CLOEXEC));
    if (!out.valid()) {
      return io_error(ErrorKind::kCannotCreate, "cannot open", path);
    }
    return ReplacementFile(target, {}, std::move(out));
  }
  // mkostemp finds a free name, also beside what a killed run left.
  std::string temporary = target + ".XXXXXX";
  Descriptor out(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!out.valid()) {
    return io_error(ErrorKind::kCannotCreate, "cannot create", path);
  }
  ::fchmod(out.get(), exists ? old.st_mode & 07777 : mode & ~current_umask());
  return ReplacementFile(target, temporary, std::move(out));
}

Status ReplacementFile::commit(std::string_view bytes) {
  errno = write_all(out_.get(), bytes);
  if (temporary_.empty()) {
    if (errno != 0) return io_error(ErrorKind::kIo, "cannot write", path_);
    return {};
  }
  if (errno != 0 || ::fsync(out_.get()) != 0) {
    return io_error(ErrorKind::kIo, "cannot write", path_);
  }
  const bool closed = ::close(out_.release()) == 0;
  if (!closed || std::rename(temporary_.c_str(), path_.c_str()) != 0) {
    return io_error(ErrorKind::kIo,
                    fmt::format("kept as '{}': cannot write", temporary_),
                    path_);
  }
  return {};
}

Status replace_file(const std::string& path, std::string_view bytes,
                    unsigned mode) {
  LLMROUTE_TRY(ReplacementFile file, ReplacementFile::create(path, mode));
  return file.commit(bytes);
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
