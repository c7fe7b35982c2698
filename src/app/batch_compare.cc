#include "app/batch_compare.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdint>

#include "app/batch_record.h"
#include "app/batch_setup.h"
#include "base/sha256.h"
#include "base/text.h"

namespace llmroute::app {
namespace {

using base::Result;
using base::Status;

// Visits all lines; then they begin anew if they can.
template <class Visit>
Status look_through(batch::InputLines& lines, const BatchInputOptions& input,
                    const Visit& visit) {
  const off_t start = ::lseek(STDIN_FILENO, 0, SEEK_CUR);
  LLMROUTE_CHECK(for_each_line(lines, visit));
  if (!lines.can_be_reread()) return {};
  if (start >= 0) ::lseek(STDIN_FILENO, start, SEEK_SET);
  LLMROUTE_TRY(lines, open_lines(input));
  return {};
}

}  // namespace

Result<bool> is_unchanged(const batch::JournalEnd& done,
                          const BatchInputOptions& input,
                          batch::InputLines& lines) {
  batch::InputDigest digest;
  LLMROUTE_CHECK(look_through(lines, input, [&](const auto& line) -> Status {
    digest.add(line.number, base::fingerprint(line.text));
    return {};
  }));
  if (digest.hex() == done.input) return true;
  if (lines.can_be_reread()) return false;
  return base::Error{base::ErrorKind::kData,
                     "the input is not what it was when the journal was "
                     "written; give it as a file to have new lines asked"};
}

Status begin_anew_if_changed(BatchJournal& begun, const BatchOptions& options,
                             batch::InputLines& lines,
                             const Messages& messages) {
  batch::Journal& journal = *begun.journal;
  const int64_t results = journal.records_before();
  if (results == 0 || options.output.match == "id" || !lines.can_be_reread()) {
    return {};
  }
  int64_t kept = 0, changed = 0;
  LLMROUTE_CHECK(
      look_through(lines, options.input, [&](const auto& line) -> Status {
        LLMROUTE_TRY(const auto found, journal.find(line.number));
        if (found) {
          const bool same = found->input == base::fingerprint(line.text);
          ++(same ? kept : changed);
        }
        return {};
      }));
  if (changed == 0 && (kept == results || begun.other_lines)) return {};
  messages.warn(fmt::format(
      "the input is not what it was: the {} results in '{}' are dropped and "
      "everything is asked again, at full cost (--force)",
      base::with_thousands(results), journal.path()));
  begun.fresh = true;
  return {};
}

}  // namespace llmroute::app
