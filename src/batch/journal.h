// The journal of a batch: what makes `kill -9` at any instant and the same
// command again lose nothing and ask nothing twice. Append-only; frames as in
// journal_frame.h.
//
// Opened, a journal is scanned. A bad frame at the end is what a killed process
// was writing and is cut off; one that is followed by good ones is damage,
// unless it is a hole that a loss of power left among what was not synced. A
// record is done when append() has returned; it survives a kill from then on,
// and loss of power from the next sync on. In the end:
//
//   journal.sync(); part.publish(); journal.finish(end);
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/clock.h"
#include "base/files.h"
#include "base/result.h"
#include "base/sha256.h"
#include "batch/background_sync.h"
#include "batch/fingerprint_map.h"
#include "batch/journal_frame.h"
#include "batch/line_index.h"
#include "core/money.h"

namespace llmroute::batch {

enum class FsyncPolicy : uint8_t { kGroup, kAlways, kNone };

struct JournalOptions {
  FsyncPolicy fsync = FsyncPolicy::kGroup;
  bool repair = false;  // of a damaged journal, keep the good frames
  // Records that failed do not count, unless they failed since the last end:
  // then it was a killed process that was asking for them again.
  bool retry_errors = false;
};

// One thread. Memory does not grow with the number of records.
class Journal {
 public:
  // With FsyncPolicy::kGroup, a sync is due so long after the last one, or
  // after so many records.
  static constexpr std::chrono::milliseconds kGroupTime{1000};
  static constexpr int kGroupRecords = 64;

  // Called for every record that counts. `replaced`, if not null, is an earlier
  // one that find() would have found in its place, which counts no more.
  using OnRecord = std::function<void(const JournalRecord& record,
                                      const JournalRecord* replaced)>;

  // Opens or creates, locks, repairs if asked, scans. Errors: those of
  // open_journal_file(); kData if it is damaged or not a journal, which is then
  // left as it is; kIo. Nothing else in this process may open and close the
  // file, which would unlock it.
  static base::Result<Journal> open(const std::string& path,
                                    const JournalOptions& options,
                                    const OnRecord& on_record);

  // Nothing: it is new, and begin() is next.
  const std::optional<JournalHead>& head() const { return head_; }
  // What finish() wrote, if nothing was appended since.
  const std::optional<JournalEnd>& end() const { return end_; }
  // What finish() wrote last, whatever was appended since.
  const std::optional<JournalEnd>& published() const { return published_; }
  // Money spent before this process: for all records, whether they count or
  // not, with what killed processes may have spent on them; and what those may
  // have spent on lines that have no record.
  core::Money settled() const { return settled_; }
  core::Money orphaned() const { return orphaned_; }
  // What results have cost that do not count any more: others replaced them.
  core::Money replaced() const { return replaced_; }
  // Calls visit for each record that counts, in the order of the file.
  base::Status for_each(
      const std::function<void(const JournalRecord& record)>& visit) const;
  // The last record that counts, from the scan or appended since, of a line
  // (1 .. kMostLines) if the head says match "line", and of an id and an input
  // line if it says "id". Errors: kIo; kCannotCreate.
  base::Result<std::optional<JournalRecord>> find(int64_t line) const;
  base::Result<std::optional<JournalRecord>> find(
      std::string_view id, const base::Fingerprint& input) const;
  // How many counted when it was opened.
  int64_t records_before() const { return records_before_; }
  const std::string& path() const { return path_; }

  // Whether a run before this one gave up on a line, which has no result since.
  bool given_up(int64_t line) const { return given_up_.contains(line); }

  // Starts over: drops all frames and all money, writes the head and syncs it.
  base::Status begin(const JournalHead& head);
  // Each is one write. REQUIRES: there is a head. Errors: kIo, after which
  // nothing of it is in the journal; kData if a record is too large for a
  // frame; kSoftware if it would not be read back.
  base::Status append(const JournalSend& send);
  base::Status append(JournalRecord record);

  // Syncs if it is due, with FsyncPolicy::kGroup in the background: how it went
  // is told by a later call. After a failed sync nothing counts as written:
  // this and everything that writes fails with kIo from then on.
  base::Status sync_if_due(base::Monotonic now);
  // When the next sync is due, perhaps in the past; nothing if all is synced or
  // under way.
  std::optional<base::Monotonic> next_sync() const;
  // Syncs, whether it is due or not, unless the policy is kNone.
  base::Status sync();

  // Appends the end and syncs.
  base::Status finish(const JournalEnd& end);

 private:
  Journal(std::string path, base::Descriptor file,
          const JournalOptions& options);
  base::Status repair();
  base::Result<uint64_t> retried_before() const;
  base::Status load(const OnRecord& on_record);
  base::Status visit(const JournalFrame& frame, uint64_t offset,
                     const OnRecord& on_record);
  base::Status visit_send(const JournalSend& send);
  base::Status visit_record(const JournalRecord& record, uint64_t offset,
                            const OnRecord& on_record);
  base::Result<std::optional<JournalRecord>> read_at(
      std::optional<uint64_t> offset) const;
  base::Result<std::optional<JournalRecord>> find_as(
      const JournalRecord& record) const;
  base::Result<std::optional<uint64_t>> offset_of(
      const JournalRecord& record) const;
  base::Status set_offset(const JournalRecord& record, uint64_t offset);
  bool matches_ids() const { return head_ && head_->match == "id"; }
  base::Status cut(uint64_t size);
  base::Status check_background();
  base::Status write(std::string_view frame);
  base::Status replace(base::ReplacementFile file);

  std::string path_;
  base::Descriptor file_;
  JournalOptions options_;
  uint64_t size_ = 0;  // of the file, all of it good frames
  std::optional<JournalHead> head_;
  std::optional<JournalEnd> end_, published_;
  uint64_t retried_before_ = 0;  // failed records up to here do not count
  LineIndex lines_;              // line -> offset of its record
  FingerprintMap ids_;           // id and input -> offset of their record
  int64_t records_before_ = 0;
  core::Money settled_, orphaned_, replaced_;
  // Of lines without a record, what was sent for them by earlier processes.
  std::unordered_map<int64_t, core::Money> sent_;
  std::unordered_set<int64_t> given_up_;
  bool unsynced_ = false;
  int unsynced_records_ = 0;
  base::Monotonic last_sync_ = base::Monotonic::min();
  // Behind a pointer, because a journal moves and a thread does not. Made when
  // it is first needed.
  std::unique_ptr<BackgroundSync> background_;
  std::optional<base::Error> broken_;  // for good
};

}  // namespace llmroute::batch
