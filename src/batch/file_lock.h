// Files that one process at a time may write.
#pragma once

#include <string>

#include "base/files.h"
#include "base/result.h"

namespace llmroute::batch {

// Locks a file without waiting, as long as the descriptor is open; closing any
// other descriptor of the file in this process unlocks it too. kTryLater:
// another process, which is named, has it locked. kOs: it cannot be locked.
base::Status lock_file(int fd, const std::string& path);

// Whether the name still leads to the file: it may have been written anew.
bool is_still(int fd, const std::string& path);

// What is at `path`, locked, so that it may be replaced: by a file that is
// locked before this descriptor is closed, and still there then. Made if it is
// not there; invalid if it is no file of ours to open. Errors: of lock_file();
// kCannotCreate.
base::Result<base::Descriptor> lock_name(const std::string& path);

}  // namespace llmroute::batch
