#include "base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>

#include "base/clock.h"
#include "base/paths.h"

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

Error io_error(ErrorKind kind, const std::string& what,
               const std::string& path) {
  return {kind, fmt::format("{} '{}': {}", what, path, errno_text(errno))};
}

namespace {

void wait_ready(int fd, short events) {
  pollfd one{fd, events, 0};
  ::poll(&one, 1, -1);
}

constexpr std::array<int, 3> kDeadly = {SIGINT, SIGTERM, SIGHUP};
std::array<std::atomic<bool>, kDeadly.size()> held;

void hold(int signal) {
  for (size_t i = 0; i < kDeadly.size(); ++i) {
    if (kDeadly[i] == signal) held[i] = true;
  }
}

// Keeps signals that would end the process from doing so while it lives,
// whichever thread they come to: a mask would be that of one thread alone. One
// at a time.
class SignalsHeld {
 public:
  SignalsHeld() {
    struct sigaction holds {};
    holds.sa_handler = hold;
    holds.sa_flags = SA_RESTART;
    for (size_t i = 0; i < kDeadly.size(); ++i) {
      ::sigaction(kDeadly[i], nullptr, &before_[i]);
      if (before_[i].sa_handler == SIG_IGN) continue;
      ::sigaction(kDeadly[i], &holds, nullptr);
    }
  }
  ~SignalsHeld() {
    for (size_t i = 0; i < kDeadly.size(); ++i) {
      ::sigaction(kDeadly[i], &before_[i], nullptr);
      if (held[i].exchange(false)) ::raise(kDeadly[i]);
    }
  }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  static std::mutex one_at_a_time;
  const std::lock_guard<std::mutex> turn_{one_at_a_time};
  std::array<struct sigaction, kDeadly.size()> before_{};
};
std::mutex SignalsHeld::one_at_a_time;

// A FIFO, a device: whoever reads it may keep us waiting.
bool is_special(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode);
}

Descriptor create_new(const std::string& path, mode_t mode) {
  constexpr int kFlags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  return Descriptor(::open(path.c_str(), kFlags, mode));
}

// A new file at `path`, where no link is followed and nothing is shared with
// what was there before.
Descriptor create_anew(const std::string& path, mode_t mode) {
  struct stat old {};
  if (::lstat(path.c_str(), &old) == 0) {
    if (S_ISLNK(old.st_mode)) {
      errno = ELOOP;
      return {};
    }
    if (::unlink(path.c_str()) != 0) return {};
  }
  return create_new(path, mode);
}

// A new file beside `path`, under a name that is free, also beside what a
// killed run left.
Descriptor create_beside(const std::string& path, mode_t mode,
                         std::string& name) {
  constexpr int kMostTries = 100;
  constexpr size_t kRandom = 20;  // in an id: its last six characters
  Descriptor file;
  for (int i = 0; i < kMostTries && !file.valid(); ++i) {
    name = path + "." + make_ulid(wall_now()).substr(kRandom);
    file = create_new(name, mode);
    if (!file.valid() && errno != EEXIST) break;
  }
  return file;
}

}  // namespace

Result<std::string> read_all(int fd, size_t limit, const std::string& name) {
  std::string text;
  std::array<char, 65536> chunk;  // what is not filled is not touched
  for (;;) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got > 0) text.append(chunk.data(), static_cast<size_t>(got));
    if (got == 0) return text;
    if (got < 0 && errno == EAGAIN) {
      wait_ready(fd, POLLIN);
    } else if (got < 0 && errno != EINTR) {
      return io_error(ErrorKind::kNoInput, "cannot read", name);
    }
    if (text.size() > limit) {
      const bool small = limit < size_t{1} << 20;
      return Error{
          ErrorKind::kData,
          fmt::format("'{}' is larger than {} {}", name,
                      limit >> (small ? 10 : 20), small ? "KiB" : "MiB")};
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

std::optional<size_t> read_at(int fd, uint64_t offset,
                              std::span<std::byte> bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::pread(fd, bytes.data() + done, bytes.size() - done,
                                static_cast<off_t>(offset + done));
    if (got == 0) break;
    if (got > 0) {
      done += static_cast<size_t>(got);
    } else if (errno != EINTR) {
      return std::nullopt;
    }
  }
  return done;
}

ReplacementFile::ReplacementFile(std::string path, std::string temporary,
                                 Descriptor out)
    : path_(std::move(path)),
      temporary_(std::move(temporary)),
      out_(std::move(out)) {}

ReplacementFile::~ReplacementFile() {
  if (out_.valid() && !keep_ && !in_place()) ::unlink(temporary_.c_str());
}

Result<ReplacementFile> ReplacementFile::create(const std::string& path,
                                                unsigned mode,
                                                const std::string& suffix) {
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
  // The kernel takes the umask off: to read it is to change it for a moment.
  const mode_t first_mode = exists ? 0600 : mode;
  std::string temporary = target + suffix;
  Descriptor out = suffix.empty() ? create_beside(target, first_mode, temporary)
                                  : create_anew(temporary, first_mode);
  if (!out.valid()) {
    return io_error(ErrorKind::kCannotCreate, "cannot create",
                    suffix.empty() ? path : temporary);
  }
  if (exists) ::fchmod(out.get(), old.st_mode & 07777);
  ReplacementFile file(target, temporary, std::move(out));
  file.keep_ = !suffix.empty();
  return file;
}

Status ReplacementFile::write(std::string_view bytes) {
  errno = write_all(out_.get(), bytes);
  if (errno != 0) return io_error(ErrorKind::kIo, "cannot write", path_);
  return {};
}

Status ReplacementFile::sync() {
  if (in_place() || ::fsync(out_.get()) == 0) return {};
  return io_error(ErrorKind::kIo, "cannot write", path_);
}

Status ReplacementFile::rename() {
  if (in_place()) return {};
  keep_ = true;
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) return kept();
  return sync_directory_of(path_);
}

Error ReplacementFile::kept() const {
  return io_error(ErrorKind::kIo,
                  in_place()
                      ? "cannot write"
                      : fmt::format("kept as '{}': cannot write", temporary_),
                  path_);
}

Status ReplacementFile::commit() {
  LLMROUTE_CHECK(sync());
  if (::close(out_.release()) != 0) return kept();
  return rename();
}

Status ReplacementFile::commit(std::string_view bytes) {
  LLMROUTE_CHECK(write(bytes));
  return commit();
}

Result<Descriptor> ReplacementFile::commit_open() {
  LLMROUTE_CHECK(sync());
  LLMROUTE_CHECK(rename());
  return std::move(out_);
}

Status replace_file(const std::string& path, std::string_view bytes,
                    unsigned mode) {
  std::optional<SignalsHeld> held;
  if (!is_special(path)) held.emplace();
  LLMROUTE_TRY(ReplacementFile file, ReplacementFile::create(path, mode));
  return file.commit(bytes);
}

Result<ScratchFile> ScratchFile::create(const std::string& directory) {
  constexpr int kFlags = O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC;
  Descriptor file(::open(directory.c_str(), kFlags, 0600));
  if (!file.valid()) {  // not every file system has them
    std::string name = directory + "/.llmroute-XXXXXX";
    file = Descriptor(::mkostemp(name.data(), O_CLOEXEC));
    if (file.valid()) ::unlink(name.c_str());
  }
  if (!file.valid()) {
    return io_error(ErrorKind::kCannotCreate, "cannot create a file in",
                    directory);
  }
  return ScratchFile(directory, std::move(file));
}

Status ScratchFile::read(uint64_t offset, std::span<std::byte> bytes) const {
  const std::optional<size_t> got = read_at(file_.get(), offset, bytes);
  if (!got) {
    return io_error(ErrorKind::kIo, "cannot read back from", directory_);
  }
  std::ranges::fill(bytes.subspan(*got), std::byte{0});
  return {};
}

Status ScratchFile::write(uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(file_.get(), bytes.data(), bytes.size(),
                                 static_cast<off_t>(offset));
    if (put >= 0) {
      bytes = bytes.subspan(static_cast<size_t>(put));
      offset += static_cast<uint64_t>(put);
    } else if (errno != EINTR) {
      return io_error(ErrorKind::kIo, "cannot write scratch data in",
                      directory_);
    }
  }
  return {};
}

bool file_exists(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0;
}

bool is_pipe(const std::string& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 &&
         (S_ISFIFO(facts.st_mode) || S_ISSOCK(facts.st_mode));
}

bool same_file(const std::string& a, const std::string& b) {
  struct stat one {
  }, other{};
  return ::stat(a.c_str(), &one) == 0 && ::stat(b.c_str(), &other) == 0 &&
         one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

Status sync_directory_of(const std::string& path) {
  const std::string directory = parent_directory(path);
  const Descriptor in(
      ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // EINVAL: a file system that cannot, or need not.
  if (in.valid() && (::fsync(in.get()) == 0 || errno == EINVAL)) return {};
  return io_error(ErrorKind::kIo, "cannot sync directory", directory);
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
