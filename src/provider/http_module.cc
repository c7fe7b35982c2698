#include "provider/http_module.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <string>

namespace llmroute::provider {
namespace {

constexpr const char* kProgram = "/proc/self/exe";
constexpr const char* kName = "llmroute-http.so";

// Links resolved; empty if the system does not say.
std::string program_directory() {
  std::array<char, PATH_MAX> path{};
  const ssize_t size = ::readlink(kProgram, path.data(), path.size());
  if (size <= 0 || static_cast<size_t>(size) == path.size()) return {};
  return base::parent_directory({path.data(), static_cast<size_t>(size)});
}

bool as_safe_as(const struct stat& file, const struct stat& program) {
  const bool same_group = file.st_gid == program.st_gid;
  const mode_t may_write = program.st_mode & (same_group ? 022U : 002U);
  return S_ISREG(file.st_mode) &&
         (file.st_uid == 0 || file.st_uid == program.st_uid) &&
         (file.st_mode & 022U & ~may_write) == 0;
}

// The table of sections is the last thing in the file.
bool is_whole(int fd, const struct stat& info) {
  ElfW(Ehdr) head{};
  const auto read =
      base::read_at(fd, 0, std::as_writable_bytes(std::span(&head, 1)));
  return read == sizeof head &&
         head.e_shoff + size_t{head.e_shnum} * head.e_shentsize <=
             static_cast<size_t>(info.st_size);
}

base::Descriptor open_if_good(const std::string& path,
                              const struct stat& program) {
  base::Descriptor file(
      ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat info {};
  if (!file.valid() || ::fstat(file.get(), &info) != 0) return {};
  if (!as_safe_as(info, program) || !is_whole(file.get(), info)) return {};
  return file;
}

}  // namespace

base::Descriptor find_http_module() {
  const std::string directory = program_directory();
  struct stat program {};
  if (directory.empty() || ::stat(kProgram, &program) != 0) return {};
  for (const char* place : {"/", "/../lib/llmroute/"}) {
    base::Descriptor file = open_if_good(directory + place + kName, program);
    if (file.valid()) return file;
  }
  return {};
}

}  // namespace llmroute::provider
