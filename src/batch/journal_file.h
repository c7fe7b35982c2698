// The file of a journal: ours alone, and locked by one process at a time.
#pragma once

#include <string>

#include "base/files.h"
#include "base/result.h"

namespace llmroute::batch {

// Behind a journal's name while it is written anew.
inline constexpr char kNewSuffix[] = ".llmroute-new";

// Opens `path` for reading and appending, creates it with mode 0600 whatever
// the umask, and locks it as long as the descriptor is open. Closing any other
// descriptor of the file in this process would unlock it too. What a killed run
// left of a new journal is removed. Errors:
//   kCannotCreate  a link, not a regular file, or it cannot be created
//   kNoPermission  owned by another user, or writable by others
//   kTryLater      another process, which is named, has it locked
//   kOs            it cannot be locked
base::Result<base::Descriptor> open_journal_file(const std::string& path);

}  // namespace llmroute::batch
