// Whether the input of a batch still is what its journal has results for.
#pragma once

#include "app/batch_journal.h"
#include "app/messages.h"
#include "app/options.h"
#include "base/result.h"
#include "batch/input_lines.h"

namespace llmroute::app {

// Reads the input to its end. True: it is what the run that ended so has asked
// all of. False: it is another one, and `lines` begin anew; kData if they
// cannot, being of a pipe.
base::Result<bool> is_unchanged(const batch::JournalEnd& done,
                                const BatchInputOptions& input,
                                batch::InputLines& lines);

// For --force: a journal that cannot be gone on with, because a line which it
// has a result for has changed or is gone, is begun anew, with a warning. An
// input that is no file is left to the run. Errors: kNoInput, kIo.
base::Status begin_anew_if_changed(BatchJournal& begun,
                                   const BatchOptions& options,
                                   batch::InputLines& lines,
                                   const Messages& messages);

}  // namespace llmroute::app
