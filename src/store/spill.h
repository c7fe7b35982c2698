// Where rows go that the ledger cannot take now: a file beside it, a JSON
// object a line, mode 0600. The next process that can write the ledger moves
// them there, each once.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "store/ledger.h"
#include "store/rows.h"

namespace llmroute::store {

// Appends a line for each to the spill file of the ledger at `path` in one
// write, and syncs it. kIo if that is not possible either.
base::Status spill(const std::string& path, std::span<const Recorded> all);

// Of what waits in the spill file of the ledger at `path`; 0: there is none.
int64_t spilled_bytes(const std::string& path);

// Moves all lines into the ledger. Lines that make no sense (torn by a crash)
// are dropped: their number. Nothing is done while another process does it.
base::Result<size_t> import_spilled(Ledger& ledger);

}  // namespace llmroute::store
