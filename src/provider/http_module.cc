#include "provider/http_module.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>
#include <string>

#include "base/ownership.h"

namespace llmroute::provider {
namespace {

constexpr const char* kProgram = "/proc/self/exe";
constexpr const char* kName = "llmroute-http.so";

// Links resolved; empty if the system does not say. Without /proc the path that
// it was started by, which others choose for a program with more rights than
// theirs.
std::string program_path() {
  std::array<char, PATH_MAX> path{};
  const ssize_t size = ::readlink(kProgram, path.data(), path.size());
  if (size > 0 && static_cast<size_t>(size) < path.size()) {
    return {path.data(), static_cast<size_t>(size)};
  }
  const auto* started = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
  const bool resolved = started != nullptr && ::getauxval(AT_SECURE) == 0 &&
                        ::realpath(started, path.data()) != nullptr;
  return resolved ? path.data() : "";
}

bool is_program(const std::string& path, struct stat& program) {
  return !path.empty() && (::stat(kProgram, &program) == 0 ||
                           ::stat(path.c_str(), &program) == 0);
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

// Empty if there is none that is safe.
std::string name_of(const base::Descriptor& file, const std::string& path) {
  std::string name = "/proc/self/fd/" + std::to_string(file.get());
  if (::access(name.c_str(), F_OK) == 0) return name;
  struct stat directory {};
  const bool safe =
      ::stat(base::parent_directory(path).c_str(), &directory) == 0 &&
      base::directory_is_safe(directory);
  return safe ? path : "";
}

}  // namespace

HttpModule find_http_module() {
  const std::string program = program_path();
  struct stat info {};
  if (!is_program(program, info)) return {};
  for (const char* place : {"/", "/../lib/llmroute/"}) {
    const std::string path = base::parent_directory(program) + place + kName;
    HttpModule module{open_if_good(path, info), ""};
    if (module.file.valid()) module.name = name_of(module.file, path);
    if (!module.name.empty()) return module;
  }
  return {};
}

}  // namespace llmroute::provider
