#include "store/ledger_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "base/files.h"
#include "base/ownership.h"
#include "store/database.h"
#include "store/schema.h"

namespace llmroute::store {
namespace {

using base::ErrorKind;

// The database and what SQLite keeps beside it.
constexpr const char* kFiles[] = {"", "-wal", "-shm", "-journal"};

base::Error unsafe(const std::string& path, const std::string& why) {
  return {ErrorKind::kNoPermission, fmt::format("ledger '{}': {}", path, why)};
}

base::Error not_possible(const std::string& what, const std::string& path) {
  return base::io_error(ErrorKind::kIo, "ledger: cannot " + what, path);
}

base::Status check_directory(const std::string& directory) {
  struct stat info {};
  if (::stat(directory.c_str(), &info) != 0) {
    return not_possible("examine", directory);
  }
  if (base::directory_is_safe(info)) return {};
  return unsafe(directory, base::owner_is_safe(info)
                               ? "others can write to it; chmod go-w it"
                               : "it belongs to another user");
}

base::Status check_file(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return {};
    return not_possible("examine", path);
  }
  if (S_ISLNK(info.st_mode)) {
    return unsafe(path, "it is a link; name the file itself");
  }
  if (!S_ISREG(info.st_mode)) return unsafe(path, "not a regular file");
  if (!base::owner_is_safe(info)) return unsafe(path, "owned by another user");
  if (base::others_can_write(info)) {
    return unsafe(path, "others can write to it; chmod go-w it");
  }
  return {};
}

// SQLite's file header: page size at 16, pages at 28. Source:
// sqlite.org/fileformat2.html, section 1.3.
constexpr size_t kHeaderBytes = 100;

int64_t big_endian(const std::array<std::byte, kHeaderBytes>& header, size_t at,
                   size_t size) {
  int64_t value = 0;
  for (size_t i = 0; i < size; ++i) {
    value = value << 8 | std::to_integer<int64_t>(header[at + i]);
  }
  return value;
}

bool on_network(const std::string& path) {
  struct statfs info {};
  return ::statfs(path.c_str(), &info) == 0 &&
         is_network_file_system(static_cast<int64_t>(info.f_type));
}

base::Status fill(const std::string& path) {
  LLMROUTE_TRY(Database database,
               Database::open(path, {.durability = Durability::kFull}));
  if (!on_network(path)) {
    LLMROUTE_CHECK(database.execute("PRAGMA journal_mode=WAL"));
  }
  LLMROUTE_CHECK(create_schema(database));
  return database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

void remove_with_logs(const std::string& path) {
  for (const char* suffix : kFiles) {
    ::unlink((path + suffix).c_str());
  }
}

}  // namespace

base::Result<std::string> ledger_path(const std::string& path) {
  const std::string directory = base::parent_directory(path);
  if (const auto made = base::create_directories(directory); !made) {
    return base::Error{ErrorKind::kIo, "ledger: " + made.error().message};
  }
  const std::unique_ptr<char, decltype(&::free)> real(
      ::realpath(directory.c_str(), nullptr), &::free);
  if (!real) return not_possible("examine", directory);
  LLMROUTE_CHECK(check_directory(real.get()));
  const std::string there =
      std::string(real.get()) + "/" + base::base_name(path);
  for (const char* suffix : kFiles) {
    LLMROUTE_CHECK(check_file(there + suffix));
  }
  return there;
}

base::Result<std::string> readable_ledger(const std::string& path) {
  const std::unique_ptr<char, decltype(&::free)> real(
      ::realpath(path.c_str(), nullptr), &::free);
  struct stat info {};
  if (!real || ::stat(real.get(), &info) != 0) {
    return base::io_error(ErrorKind::kNoInput, "cannot open the ledger", path);
  }
  if (S_ISREG(info.st_mode)) return std::string(real.get());
  return base::Error{
      ErrorKind::kNoInput,
      fmt::format("cannot open the ledger '{}': no regular file", path)};
}

base::Result<bool> create_ledger(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0) return false;
  std::string temporary = path + ".XXXXXX";
  const base::Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file.valid()) return not_possible("create", path);
  base::Status filled = fill(temporary);
  if (filled && ::link(temporary.c_str(), path.c_str()) != 0 &&
      errno != EEXIST) {
    filled = not_possible("create", path);
  }
  remove_with_logs(temporary);
  if (!filled) return filled.error();
  LLMROUTE_CHECK(base::sync_directory_of(path));
  return on_network(path);
}

base::Status check_whole(const std::string& path) {
  struct stat log {};
  if (::stat((path + "-wal").c_str(), &log) == 0 && log.st_size > 0) {
    return {};  // pages may be there and not yet here
  }
  const base::Descriptor in(
      ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  std::array<std::byte, kHeaderBytes> header{};
  if (!in.valid() || ::fstat(in.get(), &info) != 0) {
    return not_possible("open", path);
  }
  if (base::read_at(in.get(), 0, header) != header.size()) {
    return base::Error{ErrorKind::kIo,
                       fmt::format("ledger '{}': it is damaged", path)};
  }
  const int64_t page = big_endian(header, 16, 2);
  const int64_t bytes = (page == 1 ? 65536 : page) * big_endian(header, 28, 4);
  if (info.st_size >= bytes) return {};
  return base::Error{ErrorKind::kIo,
                     fmt::format("ledger '{}': it is damaged: {} of its {} "
                                 "bytes are missing",
                                 path, bytes - info.st_size, bytes)};
}

bool is_network_file_system(int64_t type) {
  // From linux/magic.h and the file systems' own headers: NFS, SMB, CIFS, SMB2,
  // AFS (two), Coda, Ceph, 9P, Lustre, GFS2, OCFS2.
  constexpr std::array<uint32_t, 12> kTypes = {
      0x6969,     0x517B,     0xFF534D42, 0xFE534D42, 0x5346414F, 0x6B414653,
      0x73757245, 0x00C36400, 0x01021997, 0x0BD00BD0, 0x01161970, 0x7461636F};
  return std::ranges::find(kTypes, static_cast<uint32_t>(type)) != kTypes.end();
}

}  // namespace llmroute::store
