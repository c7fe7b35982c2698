// What the ledger cannot take, as run and batch treat it and tell of it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "app/messages.h"
#include "base/result.h"
#include "store/ledger.h"
#include "store/rows.h"

namespace llmroute::app {

// `path`, as store::ledger_path() found it: others could write to it, so that
// not even a spill file is kept there.
bool is_unsafe(const base::Result<std::string>& path);

// What earlier processes could not record; a warning if some of it was damaged.
base::Status import_spilled(store::Ledger& ledger, const Messages& messages);

// Where it waits, and nothing was imported: for those who only read.
void warn_of_spilled(store::Ledger& ledger, const Messages& messages);

// Said once, when it is made.
void warn_of_network(const store::Ledger& ledger, const Messages& messages);

// Where its newest entry is more than a day ahead of this machine's clock.
void warn_of_clock(store::Ledger& ledger, const Messages& messages);

// Puts rows into the spill file. What `written` says has failed, if anything,
// and where they are: kIo. `lost`: what to say if that is not possible either.
base::Status spill(const base::Result<std::string>& path,
                   std::span<store::Recorded> rows, const base::Status& written,
                   std::string_view lost);

// Where --strict-ledger is given, before anything is sent: kUsage if the ledger
// is off, kIo if it could not be opened.
base::Error not_strict(bool off, const base::Status& opened);

}  // namespace llmroute::app
