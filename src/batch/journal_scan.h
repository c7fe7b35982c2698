// Reads the frames of a journal from its file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "batch/journal_frame.h"

namespace llmroute::batch {

struct JournalScan {
  bool is_journal = false;  // the first frame is a head, of any version
  bool torn_head = false;   // there is nothing, or a part of a head
  int64_t records = 0;      // R frames that are good
  uint64_t end = 0;         // of the last good frame
  bool torn_tail = false;   // there is something behind it
  // Where the first bad frame is that has a good one behind it.
  std::optional<uint64_t> damage;
};

// A good frame, its offset and its line without LF, valid during the call.
using FrameVisitor = std::function<base::Status(
    JournalFrame frame, uint64_t offset, std::string_view line)>;

// Visits all good frames in order; ends at the first error of `visit`. A head
// is good at the start only, where nothing else is: what does not begin with
// one is read no further. Cannot be read: kIo. Memory: two of the longest
// frames there are, at most two of kLargestFrame.
base::Result<JournalScan> scan_journal(int fd, const std::string& path,
                                       const FrameVisitor& visit);

// Whether there is a hole: zeros, which stand in no frame, where blocks were
// when power was lost before they were synced, though later ones had been
// written. Errors: kIo.
base::Result<bool> has_hole(int fd, const std::string& path);

// The record at `offset`, where a scan found one. Not there any more, or cannot
// be read: kIo.
base::Result<JournalRecord> read_record(int fd, const std::string& path,
                                        uint64_t offset);

}  // namespace llmroute::batch
