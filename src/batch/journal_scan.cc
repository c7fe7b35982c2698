#include "batch/journal_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "base/files.h"

namespace llmroute::batch {
namespace {

using base::ErrorKind;

constexpr size_t kBlock = size_t{256} << 10;

struct Line {
  uint64_t offset = 0;
  std::string_view text;  // without LF; empty if it cannot be a frame
  bool whole = false;     // an LF ends it
};

// Lines of a file. One ends at its LF or, if none is there, after the bytes
// that it claims to have: what was changed may have been the LF. Of one that
// claims nothing nothing is kept.
class Lines {
 public:
  Lines(int fd, const std::string& path) : fd_(fd), path_(path) {}

  // False at the end.
  base::Result<bool> next(Line& line) {
    line = Line();
    line.offset = offset_ + at_;
    std::optional<size_t> claim = kLargestFrame;
    for (size_t searched = 0;;) {
      const std::string_view rest = std::string_view(buffer_).substr(at_);
      if (claim && rest.size() >= kFramePrefix) claim = claimed_length(rest);
      const size_t most = std::min(rest.size(), claim.value_or(rest.size()));
      const size_t end = rest.substr(0, most).find('\n', searched);
      line.whole = end != std::string_view::npos;
      if (line.whole || ended_ || most == claim) {
        const bool cut = !line.whole && most == claim;
        if (claim && !cut) line.text = rest.substr(0, end);
        at_ += line.whole ? end + 1 : most;
        return offset_ + at_ > line.offset;
      }
      if (!claim) at_ = buffer_.size();
      searched = buffer_.size() - at_;
      LLMROUTE_CHECK(fill());
    }
  }

 private:
  // Reads one more block behind what is left.
  base::Status fill() {
    buffer_.erase(0, at_);
    offset_ += at_;
    at_ = 0;
    const size_t used = buffer_.size();
    buffer_.resize(used + kBlock);
    const auto got =
        base::read_at(fd_, offset_ + used,
                      std::as_writable_bytes(std::span(buffer_)).subspan(used));
    if (!got) return base::io_error(ErrorKind::kIo, "cannot read", path_);
    buffer_.resize(used + *got);
    ended_ = *got < kBlock;
    return {};
  }

  int fd_;
  const std::string& path_;
  std::string buffer_;
  uint64_t offset_ = 0;  // of buffer_ in the file
  size_t at_ = 0;        // first byte of buffer_ not handed out
  bool ended_ = false;
};

}  // namespace

base::Result<JournalScan> scan_journal(int fd, const std::string& path,
                                       const FrameVisitor& visit) {
  JournalScan scan;
  Lines lines(fd, path);
  Line line;
  std::optional<uint64_t> bad;  // the first, until it is known to be damage
  for (;;) {
    LLMROUTE_TRY(const bool more, lines.next(line));
    if (!more) break;
    auto frame = line.whole ? decode_frame(line.text) : std::nullopt;
    const bool is_head = frame && std::holds_alternative<JournalHead>(*frame);
    if (line.offset == 0 && !is_head) {
      scan.torn_head = !line.whole && is_torn_head(line.text);
      scan.torn_tail = true;
      return scan;
    }
    scan.torn_tail = !frame || is_head != (line.offset == 0);
    if (scan.torn_tail) {
      if (!bad) bad = line.offset;
      continue;
    }
    scan.damage = bad;
    scan.is_journal = true;
    scan.end = line.offset + line.text.size() + 1;
    if (std::holds_alternative<JournalRecord>(*frame)) ++scan.records;
    LLMROUTE_CHECK(visit(*std::move(frame), line.offset, line.text));
  }
  scan.torn_head = !scan.is_journal;
  return scan;
}

base::Result<bool> has_hole(int fd, const std::string& path) {
  constexpr size_t kFewest = 8;
  const std::string zeros(kFewest, '\0');
  std::string block(kBlock, '\0');
  for (uint64_t offset = 0;; offset += kBlock - kFewest) {
    const auto got =
        base::read_at(fd, offset, std::as_writable_bytes(std::span(block)));
    if (!got) return base::io_error(ErrorKind::kIo, "cannot read", path);
    if (std::string_view(block).substr(0, *got).find(zeros) !=
        std::string_view::npos) {
      return true;
    }
    if (*got < kBlock) return false;
  }
}

base::Result<JournalRecord> read_record(int fd, const std::string& path,
                                        uint64_t offset) {
  std::string line(kFramePrefix, '\0');
  const auto prefix =
      base::read_at(fd, offset, std::as_writable_bytes(std::span(line)));
  if (!prefix) return base::io_error(ErrorKind::kIo, "cannot read", path);
  if (const auto length = claimed_length(line)) {
    line.resize(*length);
    const auto got =
        base::read_at(fd, offset, std::as_writable_bytes(std::span(line)));
    if (!got) return base::io_error(ErrorKind::kIo, "cannot read", path);
    if (*got == line.size() && line.ends_with('\n')) {
      line.pop_back();
      auto frame = decode_frame(line);
      if (frame && std::holds_alternative<JournalRecord>(*frame)) {
        return std::get<JournalRecord>(*std::move(frame));
      }
    }
  }
  return base::Error{
      ErrorKind::kIo,
      fmt::format("'{}' was changed at byte {} while in use", path, offset)};
}

}  // namespace llmroute::batch
