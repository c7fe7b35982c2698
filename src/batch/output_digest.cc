#include "batch/output_digest.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <span>
#include <string_view>

#include "base/files.h"
#include "base/sha256.h"

namespace llmroute::batch {

using base::ErrorKind;

base::Result<std::optional<OutputDigest>> read_output_digest(
    const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return std::optional<OutputDigest>();
  }
  const base::Descriptor in(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  base::Sha256 hash;
  OutputDigest digest;
  std::string block(size_t{1} << 18, 0);
  for (;;) {
    const auto got = base::read_at(in.get(), static_cast<uint64_t>(digest.size),
                                   std::as_writable_bytes(std::span(block)));
    if (!got) return base::io_error(ErrorKind::kIo, "cannot read", path);
    if (*got == 0) break;
    hash.update(std::string_view(block).substr(0, *got));
    digest.size += static_cast<int64_t>(*got);
  }
  digest.sha256 = base::hex(hash.finish());
  return std::optional(std::move(digest));
}

}  // namespace llmroute::batch
