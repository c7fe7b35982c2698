#include "batch/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "batch/file_lock.h"
#include "batch/journal_file.h"
#include "batch/journal_scan.h"

namespace llmroute::batch {
namespace {

using base::Error;
using base::ErrorKind;

// Lines sent without a record are those that were under way when a process was
// killed: a few, unless somebody made the journal up.
constexpr size_t kMostSent = 100'000;

base::Status check_head(const std::string& path, const JournalHead& head) {
  if (head.version == kJournalVersion) return {};
  return Error{ErrorKind::kData,
               fmt::format("journal '{}' has format {}; this program knows {}",
                           path, head.version, kJournalVersion)};
}

Error damaged(const std::string& path, const JournalScan& scan) {
  return {ErrorKind::kData,
          fmt::format("journal '{}' is damaged at byte {}: --repair keeps the "
                      "{} good results and asks the rest again",
                      path, *scan.damage, scan.records)};
}

Error unreadable(const std::string& path) {
  return {ErrorKind::kSoftware,
          fmt::format("a frame of journal '{}' cannot be read", path)};
}

// No number is out of its range, so that it can be read back.
bool in_range(const JournalRecord& record) {
  const auto negative = [](const auto& maybe) { return maybe && *maybe < 0; };
  const auto cost = [](const std::optional<core::Money>& maybe) {
    return maybe && maybe->pico < 0;
  };
  return record.line >= 1 && record.line <= kMostLines &&
         record.attempts >= 0 && record.ms >= 0 &&
         !negative(record.input_tokens) && !negative(record.output_tokens) &&
         !cost(record.cost) && !cost(record.strongest);
}

base::Fingerprint key_of(std::string_view id, const base::Fingerprint& input) {
  std::string key(input.begin(), input.end());
  return base::fingerprint(key.append(id));
}

}  // namespace

Journal::Journal(std::string path, base::Descriptor file,
                 const JournalOptions& options)
    : path_(std::move(path)),
      file_(std::move(file)),
      options_(options),
      lines_(base::parent_directory(path_)),
      ids_(base::parent_directory(path_)) {}

base::Result<Journal> Journal::open(const std::string& path,
                                    const JournalOptions& options,
                                    const OnRecord& on_record) {
  LLMROUTE_TRY(base::Descriptor file, open_journal_file(path));
  Journal journal(path, std::move(file), options);
  LLMROUTE_TRY(const bool hole, has_hole(journal.file_.get(), path));
  if (options.repair || hole) LLMROUTE_CHECK(journal.repair());
  LLMROUTE_CHECK(journal.load(on_record));
  return journal;
}

base::Status Journal::repair() {
  const FrameVisitor check = [&](const JournalFrame& frame, uint64_t,
                                 std::string_view) -> base::Status {
    const auto* head = std::get_if<JournalHead>(&frame);
    return head == nullptr ? base::Status() : check_head(path_, *head);
  };
  LLMROUTE_TRY(const JournalScan scan, scan_journal(file_.get(), path_, check));
  if (!scan.damage) return {};
  LLMROUTE_TRY(base::ReplacementFile file,
               base::ReplacementFile::create(path_, 0600, kNewSuffix));
  const FrameVisitor copy = [&](const JournalFrame&, uint64_t,
                                std::string_view line) {
    return file.write(std::string(line) + '\n');
  };
  LLMROUTE_CHECK(scan_journal(file_.get(), path_, copy));
  return replace(std::move(file));
}

// The lock goes with the name: the new file has it before it takes the name.
base::Status Journal::replace(base::ReplacementFile file) {
  LLMROUTE_CHECK(lock_file(file.fd(), file.temporary()));
  LLMROUTE_TRY(base::Descriptor renamed, file.commit_open());
  ::fcntl(renamed.get(), F_SETFL, O_APPEND);
  file_ = std::move(renamed);
  return {};
}

// The end of the last end; without one, of the journal.
base::Result<uint64_t> Journal::retried_before() const {
  uint64_t published = 0;
  const FrameVisitor visit = [&](const JournalFrame& frame, uint64_t offset,
                                 std::string_view) -> base::Status {
    if (std::holds_alternative<JournalEnd>(frame)) published = offset;
    return {};
  };
  LLMROUTE_TRY(const JournalScan scan, scan_journal(file_.get(), path_, visit));
  return published > 0 ? published : scan.end;
}

base::Status Journal::load(const OnRecord& on_record) {
  if (options_.retry_errors) {
    LLMROUTE_TRY(retried_before_, retried_before());
  }
  LLMROUTE_TRY(const JournalScan scan,
               scan_journal(file_.get(), path_,
                            [&](const JournalFrame& frame, uint64_t offset,
                                std::string_view) {
                              return visit(frame, offset, on_record);
                            }));
  if (!scan.is_journal && !scan.torn_head) {
    return Error{ErrorKind::kData,
                 fmt::format("'{}' is not a journal of llmroute", path_)};
  }
  if (scan.damage) return damaged(path_, scan);
  for (const auto& [line, sent] : sent_) orphaned_ += sent;
  size_ = scan.end;
  unsynced_ = size_ > 0;  // a killed process may not have synced what it wrote
  return scan.torn_tail ? cut(size_) : base::Status();
}

base::Status Journal::visit(const JournalFrame& frame, uint64_t offset,
                            const OnRecord& on_record) {
  if (const auto* head = std::get_if<JournalHead>(&frame)) {
    head_ = *head;
    return check_head(path_, *head_);
  }
  end_.reset();
  if (const auto* end = std::get_if<JournalEnd>(&frame)) {
    published_ = end_ = *end;
  }
  if (const auto* send = std::get_if<JournalSend>(&frame)) {
    return visit_send(*send);
  }
  if (const auto* record = std::get_if<JournalRecord>(&frame)) {
    return visit_record(*record, offset, on_record);
  }
  return {};
}

base::Status Journal::visit_send(const JournalSend& send) {
  if (send.hold == core::Money()) {
    given_up_.insert(send.line);
  } else if ((sent_[send.line] += send.hold) <= core::Money()) {
    sent_.erase(send.line);
  }
  if (std::max(sent_.size(), given_up_.size()) <= kMostSent) return {};
  return Error{ErrorKind::kData,
               fmt::format("journal '{}': more than {} lines were sent and "
                           "have no result",
                           path_, kMostSent)};
}

base::Status Journal::visit_record(const JournalRecord& record, uint64_t offset,
                                   const OnRecord& on_record) {
  given_up_.erase(record.line);
  const auto sent = sent_.find(record.line);
  const bool unknown = !record.cost && sent != sent_.end();
  settled_ = settled_ +
             (unknown ? sent->second  // all that it may have cost
                      : record.cost.value_or(core::Money()) + record.orphaned);
  if (sent != sent_.end()) sent_.erase(sent);
  const auto replace = [this](const JournalRecord& by) {
    replaced_ = replaced_ + by.cost.value_or(core::Money());
  };
  if (!record.ok && offset < retried_before_) {
    replace(record);
    return {};
  }
  LLMROUTE_TRY(const auto replaced, find_as(record));
  if (!replaced) ++records_before_;
  if (replaced) replace(*replaced);
  on_record(record, replaced ? &*replaced : nullptr);
  return set_offset(record, offset);
}

base::Status Journal::for_each(
    const std::function<void(const JournalRecord& record)>& visit) const {
  const FrameVisitor each = [&](const JournalFrame& frame, uint64_t offset,
                                std::string_view) -> base::Status {
    const auto* record = std::get_if<JournalRecord>(&frame);
    if (record == nullptr) return {};
    LLMROUTE_TRY(const auto counts, offset_of(*record));
    if (counts == offset) visit(*record);
    return {};
  };
  LLMROUTE_CHECK(scan_journal(file_.get(), path_, each));
  return {};
}

base::Result<std::optional<uint64_t>> Journal::offset_of(
    const JournalRecord& record) const {
  return matches_ids() ? ids_.find(key_of(record.id, record.input))
                       : lines_.find(record.line);
}

base::Result<std::optional<JournalRecord>> Journal::find(int64_t line) const {
  LLMROUTE_TRY(const std::optional<uint64_t> offset, lines_.find(line));
  return read_at(offset);
}

base::Result<std::optional<JournalRecord>> Journal::find(
    std::string_view id, const base::Fingerprint& input) const {
  LLMROUTE_TRY(const std::optional<uint64_t> offset,
               ids_.find(key_of(id, input)));
  return read_at(offset);
}

base::Result<std::optional<JournalRecord>> Journal::find_as(
    const JournalRecord& record) const {
  return matches_ids() ? find(record.id, record.input) : find(record.line);
}

base::Result<std::optional<JournalRecord>> Journal::read_at(
    std::optional<uint64_t> offset) const {
  if (!offset) return std::optional<JournalRecord>();
  LLMROUTE_TRY(JournalRecord record, read_record(file_.get(), path_, *offset));
  return std::optional(std::move(record));
}

base::Status Journal::set_offset(const JournalRecord& record, uint64_t offset) {
  return matches_ids() ? ids_.set(key_of(record.id, record.input), offset)
                       : lines_.set(record.line, offset);
}

base::Status Journal::cut(uint64_t size) {
  size_ = size;
  if (::ftruncate(file_.get(), static_cast<off_t>(size)) == 0) return {};
  return base::io_error(ErrorKind::kIo, "cannot cut", path_);
}

base::Status Journal::begin(const JournalHead& head) {
  if (broken_) return *broken_;
  if (size_ > 0) LLMROUTE_CHECK(cut(0));
  *this = Journal(path_, std::move(file_), options_);
  LLMROUTE_CHECK(write(encode_frame(head)));
  head_ = head;
  if (options_.fsync == FsyncPolicy::kNone) return {};
  LLMROUTE_CHECK(sync());
  return base::sync_directory_of(path_);
}

base::Status Journal::write(std::string_view frame) {
  if (broken_) return *broken_;
  if (frame.size() > kLargestFrame) {
    return Error{
        ErrorKind::kData,
        fmt::format("a result of {} MiB does not fit into journal '{}'",
                    frame.size() >> 20, path_)};
  }
  if (frame.find('\n') + 1 != frame.size()) return unreadable(path_);
  const int failed = base::write_all(file_.get(), frame);
  if (failed == 0) {
    size_ += frame.size();
    unsynced_ = true;
    return {};
  }
  errno = failed;
  const Error error = base::io_error(ErrorKind::kIo, "cannot write", path_);
  // Nothing may follow half a frame.
  if (!cut(size_)) broken_ = error;
  return error;
}

base::Status Journal::append(const JournalSend& send) {
  LLMROUTE_CHECK(write(encode_frame(send)));
  end_.reset();
  return {};
}

base::Status Journal::append(JournalRecord record) {
  if (!in_range(record)) return unreadable(path_);
  const auto sent = sent_.find(record.line);
  record.orphaned = sent == sent_.end() ? core::Money() : sent->second;
  const uint64_t offset = size_;
  LLMROUTE_CHECK(write(encode_frame(record)));
  end_.reset();
  if (sent != sent_.end()) sent_.erase(sent);
  ++unsynced_records_;
  return set_offset(record, offset);
}

// How a sync in the background went, if one has ended.
base::Status Journal::check_background() {
  if (const int error = background_ ? background_->take_error() : 0) {
    errno = error;
    broken_ = base::io_error(ErrorKind::kIo, "cannot sync", path_);
  }
  return broken_ ? base::Status(*broken_) : base::Status();
}

base::Status Journal::sync() {
  if (background_) background_->wait();
  LLMROUTE_CHECK(check_background());
  if (!unsynced_ || options_.fsync == FsyncPolicy::kNone) return {};
  if (::fsync(file_.get()) != 0) {
    broken_ = base::io_error(ErrorKind::kIo, "cannot sync", path_);
    return *broken_;
  }
  unsynced_ = false;
  unsynced_records_ = 0;
  return {};
}

std::optional<base::Monotonic> Journal::next_sync() const {
  if (!unsynced_ || options_.fsync == FsyncPolicy::kNone) return std::nullopt;
  if (background_ && background_->running()) return std::nullopt;
  const bool now = options_.fsync == FsyncPolicy::kAlways ||
                   unsynced_records_ >= kGroupRecords ||
                   last_sync_ == base::Monotonic::min();
  return now ? base::Monotonic::min() : last_sync_ + kGroupTime;
}

base::Status Journal::sync_if_due(base::Monotonic now) {
  LLMROUTE_CHECK(check_background());
  const auto due = next_sync();
  if (!due || now < *due) return {};
  last_sync_ = now;
  if (options_.fsync != FsyncPolicy::kGroup) return sync();
  if (!background_) background_ = std::make_unique<BackgroundSync>();
  unsynced_ = false;
  unsynced_records_ = 0;
  background_->start(file_.get());
  return {};
}

base::Status Journal::finish(const JournalEnd& end) {
  LLMROUTE_CHECK(write(encode_frame(end)));
  LLMROUTE_CHECK(sync());
  published_ = end_ = end;
  return {};
}

}  // namespace llmroute::batch
