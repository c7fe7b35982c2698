// A journal of any bytes is read, refused or repaired; what was read or
// repaired once is read the same again. Lines that begin with '{' are taken
// for payloads and framed, so that inputs need no checksums.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "base/crc32c.h"
#include "base/files.h"
#include "batch/journal.h"

namespace {

using llmroute::batch::Journal;
using llmroute::batch::JournalFrame;
using llmroute::batch::JournalOptions;
using llmroute::batch::JournalRecord;
using Records = std::map<int64_t, JournalRecord>;

void require(bool good) {
  if (!good) std::abort();
}

std::string framed(std::string_view text) {
  std::string lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (line.starts_with('{')) {
      lines += fmt::format("{:08x} {:08x} ", line.size(),
                           llmroute::base::crc32c(line));
    }
    lines += text.substr(0, end + 1);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

void check_frame(std::string_view line) {
  const auto frame = llmroute::batch::decode_frame(line);
  if (!frame) return;
  std::string again =
      std::visit([](const auto& held) { return encode_frame(held); }, *frame);
  require(again.ends_with('\n'));
  again.pop_back();
  const auto decoded = llmroute::batch::decode_frame(again);
  require(decoded.has_value());
  const auto* head = std::get_if<llmroute::batch::JournalHead>(&*frame);
  if (head == nullptr || head->version == llmroute::batch::kJournalVersion) {
    require(*decoded == *frame);
  }
}

struct Seen {
  bool opened = false;
  Records records;
  int64_t settled = 0, orphaned = 0;

  bool operator==(const Seen&) const = default;
};

Seen open(const std::string& path, bool repair) {
  JournalOptions options;
  options.fsync = llmroute::batch::FsyncPolicy::kNone;
  options.repair = repair;
  Seen seen;
  auto journal = Journal::open(
      path, options, [&](const JournalRecord& record, const JournalRecord*) {
        seen.records.insert_or_assign(record.line, record);
      });
  if (!journal) {
    require(!journal.error().message.empty());
    return {};
  }
  seen.opened = true;
  seen.settled = journal->settled().pico;
  seen.orphaned = journal->orphaned().pico;
  const bool by_line = !journal->head() || journal->head()->match != "id";
  for (const auto& [line, record] : seen.records) {
    const auto found =
        by_line ? journal->find(line) : journal->find(record.id, record.input);
    require(found.has_value() && found->has_value());
    if (by_line) require(**found == record);
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text = framed({reinterpret_cast<const char*>(data), size});
  for (std::string_view rest = text; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    check_frame(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const std::string path =
      fmt::format("/tmp/llmroute-journal-fuzz-{}", ::getpid());
  const llmroute::base::Descriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  require(llmroute::base::write_all(file.get(), text) == 0);
  const Seen first = open(path, false);
  if (first.opened) require(open(path, false) == first);
  const Seen repaired = open(path, true);
  if (first.opened) require(repaired == first);
  if (repaired.opened) require(open(path, false) == repaired);
  ::unlink(path.c_str());
  return 0;
}
