// How a batch begins or goes on: its journal, and whether that belongs to the
// same batch. The rules: docs/reliability.md.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/options.h"
#include "app/route.h"
#include "base/result.h"
#include "batch/journal.h"
#include "batch/part_file.h"

namespace llmroute::app {

struct BatchIdentity {
  std::string fingerprint;  // of all that decides the answers
  // The same for every part of the input, so that shards' outputs have the ids
  // that an unsharded batch would give.
  std::string run_id;
  std::vector<std::pair<std::string, std::string>> parts;  // JournalHead's
};

// Of config, router model and options; not of keys, limits and pace.
BatchIdentity identify_batch(const BatchOptions& options, const Routed& routed);

struct BatchJournal {
  std::optional<batch::Journal> journal;  // nothing: no resume
  // What may become of an OUT, and of a file of errors, that is there.
  batch::ExistingOutput existing = batch::ExistingOutput::kRefuse;
  batch::ExistingOutput existing_errors = batch::ExistingOutput::kRefuse;
  // Done by an earlier run, and OUT still is what it wrote: how it ended. If
  // the input is another one by now, the journal goes on.
  std::optional<batch::JournalEnd> done;
  // Which lines of the input are asked (--limit, --skip, --shard) is not what
  // it was, which was accepted: lines with a result may be missing.
  bool other_lines = false;
  batch::JournalHead head;  // of this run, should the journal be begun anew
  bool fresh = false;       // it is to be begun
};

// Errors: those of Journal::open(); kConfig if it belongs to another config or
// command; kCannotCreate if OUT is not what the journal says.
base::Result<BatchJournal> open_batch_journal(const BatchOptions& options,
                                              const BatchIdentity& identity);

// Drops what it held and writes its head, if it is fresh: from then on it says
// that the outputs are this batch's. So it comes last of what may fail before
// anything is asked. Errors: those of Journal::begin().
base::Status begin_journal(BatchJournal& begun);

// Removes the file of a journal that was never begun. Borrows it.
class UnusedJournal {
 public:
  explicit UnusedJournal(const BatchJournal& begun) : begun_(begun) {}
  ~UnusedJournal();
  UnusedJournal(const UnusedJournal&) = delete;
  UnusedJournal& operator=(const UnusedJournal&) = delete;

 private:
  const BatchJournal& begun_;
};

}  // namespace llmroute::app
