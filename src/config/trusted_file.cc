#include "config/trusted_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/files.h"
#include "base/ownership.h"

namespace llmroute::config {
namespace {

using base::ErrorKind;

constexpr mode_t kForOthers = S_IRWXG | S_IRWXO;

base::Error unsafe(const std::string& path, const std::string& why) {
  return {ErrorKind::kNoPermission, fmt::format("{}: {}", path, why)};
}

base::Status check_file(const struct stat& info, const std::string& path,
                        Trust trust) {
  if (!S_ISREG(info.st_mode)) {
    return base::Error{ErrorKind::kConfig, path + ": not a regular file"};
  }
  const bool secret = trust == Trust::kSecret;
  if (secret ? info.st_uid != ::geteuid() : !base::owner_is_safe(info)) {
    return unsafe(path, "owned by another user");
  }
  if (base::others_can_write(info)) {
    return unsafe(path, "others can write to it; chmod go-w it");
  }
  if (secret && (info.st_mode & kForOthers) != 0) {
    return unsafe(path, "others can read it; chmod 600 it");
  }
  return {};
}

base::Status check_directories(const std::string& path,
                               const std::string& home) {
  std::string directory = base::parent_directory(path);
  for (;;) {
    struct stat info {};
    if (::stat(directory.c_str(), &info) != 0 ||
        !base::directory_is_safe(info)) {
      return unsafe(path, fmt::format("others can write to its directory '{}'; "
                                      "chmod go-w it",
                                      directory));
    }
    if (directory == home || directory == "/" || directory == ".") return {};
    directory = base::parent_directory(directory);
  }
}

}  // namespace

base::Result<std::optional<TrustedFile>> read_trusted(const std::string& path,
                                                      Trust trust,
                                                      const std::string& home,
                                                      size_t limit) {
  const base::Descriptor in(
      ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  const int error = errno;
  struct stat info {};
  if (!in.valid()) {
    const bool dangling = ::lstat(path.c_str(), &info) == 0;
    if ((error == ENOENT || error == ENOTDIR) && !dangling) {
      return std::optional<TrustedFile>();
    }
    return base::Error{
        ErrorKind::kConfig,
        fmt::format("cannot open '{}': {}", path, base::errno_text(error))};
  }
  if (::fstat(in.get(), &info) != 0) {
    return base::Error{ErrorKind::kOs, "cannot examine '" + path + "'"};
  }
  LLMROUTE_CHECK(check_file(info, path, trust));
  if (trust == Trust::kDirectories) {
    LLMROUTE_CHECK(check_directories(path, home));
  }
  auto text = base::read_all(in.get(), limit, path);
  if (!text) return base::Error{ErrorKind::kConfig, text.error().message};
  return std::optional(
      TrustedFile{std::move(*text), (info.st_mode & kForOthers) == 0});
}

}  // namespace llmroute::config
