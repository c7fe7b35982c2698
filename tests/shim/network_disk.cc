// Every file system of a process under test is a network's: preloaded, statfs()
// says NFS.
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

extern "C" int statfs(const char* path, struct statfs* info) noexcept {
  constexpr int kNfs = 0x6969;
  const auto result = static_cast<int>(::syscall(SYS_statfs, path, info));
  if (result == 0) info->f_type = kNfs;
  return result;
}
