// Where a ledger lies, and whether it may be used: never what others could have
// written. A new ledger appears under its name whole or not at all, so that of
// many first runs at once one creates it and all can use it.
#pragma once

#include <string>

#include "base/result.h"

namespace llmroute::store {

// `path` with its directory as it really is, after creating the directory
// (0700) if it is missing. kNoPermission: directory or file belongs to another
// user, or others can write to it. kIo: the directory cannot be created.
base::Result<std::string> ledger_path(const std::string& path);

// `path` of a ledger to read only, whoever owns it. kNoInput: nothing is there,
// or no regular file.
base::Result<std::string> readable_ledger(const std::string& path);

// Creates a ledger there if nothing is there. `path`: by ledger_path(). True:
// it did, on a network file system, and the ledger has no write-ahead log.
base::Result<bool> create_ledger(const std::string& path);

// kIo if the file is shorter than its header says, which SQLite itself would
// notice only when it comes to the missing pages, perhaps after writing others.
base::Status check_whole(const std::string& path);

// Whether a file system of this type (statfs f_type) is shared by machines,
// where a write-ahead log does not work.
bool is_network_file_system(int64_t type);

}  // namespace llmroute::store
