// Files that name hosts and commands, or hold keys, are read only if nobody
// else could have written them. All checks are on the opened descriptor, so the
// file that was checked is the file that is read. Opening never blocks.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/result.h"

namespace llmroute::config {

struct TrustedFile {
  std::string text;
  bool secret = false;  // nobody but its owner can read it
};

enum class Trust {
  kFile,         // the file: a regular file of ours or root's, not writable by
                 // its group or others
  kDirectories,  // also its directories up to the home directory
  kSecret,       // kFile, ours, and readable by us alone
};

// Nothing if there is no such file. kNoPermission if it is not safe, kConfig if
// it is not a regular file, cannot be read or is larger than `limit`.
// Run by root, only root's files are safe.
base::Result<std::optional<TrustedFile>> read_trusted(const std::string& path,
                                                      Trust trust,
                                                      const std::string& home,
                                                      size_t limit);

}  // namespace llmroute::config
