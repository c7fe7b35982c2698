// Journals for tests: heads, records, and what opening one says.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../config/temporary.h"
#include "base/files.h"
#include "batch/journal.h"

namespace llmroute::batch {

using config::TemporaryDirectory;

inline JournalHead head(const std::string& match = "line") {
  return {kJournalVersion, "01JTEST", "c0ffee",
          match,           "native",  {{"seed", "0a0b0c0d"}, {"tag a", "1"}}};
}

inline JournalRecord record(int64_t line, bool ok = true) {
  JournalRecord made;
  made.line = line;
  made.id = "row-" + std::to_string(line);
  made.input = base::fingerprint(made.id);
  made.ok = ok;
  made.error_code = ok ? "" : "try_later";
  made.model = "small";
  made.provider = "stub";
  made.cost = core::Money{1000 + line};
  made.strongest = core::Money{5000};
  made.input_tokens = 80;
  made.output_tokens = 12;
  made.attempts = 1;
  made.ms = 640;
  made.out = R"({"id":")" + made.id + R"(","text":"\n, \"out\": {}"})";
  return made;
}

// No test needs to survive loss of power.
inline JournalOptions unsynced() {
  JournalOptions options;
  options.fsync = FsyncPolicy::kNone;
  return options;
}

using Records = std::map<int64_t, JournalRecord>;

struct Opened {
  std::optional<base::Error> error;
  std::optional<Journal> journal;
  Records records;  // that count
};

// Opens, and checks that find() says what the callback said.
inline Opened open_journal(const std::string& path,
                           const JournalOptions& options = unsynced()) {
  Opened opened;
  auto journal = Journal::open(
      path, options, [&](const JournalRecord& seen, const JournalRecord* old) {
        const auto before = opened.records.find(seen.line);
        REQUIRE((old != nullptr) == (before != opened.records.end()));
        if (old != nullptr) REQUIRE(*old == before->second);
        opened.records.insert_or_assign(seen.line, seen);
      });
  if (!journal) {
    opened.error = journal.error();
    return opened;
  }
  opened.journal = *std::move(journal);
  for (const auto& [line, counted] : opened.records) {
    const auto found = opened.journal->find(line);
    REQUIRE(found);
    REQUIRE(*found == counted);
  }
  return opened;
}

inline Journal begun(const std::string& path,
                     const JournalOptions& options = unsynced(),
                     const std::string& match = "line") {
  Opened opened = open_journal(path, options);
  REQUIRE(opened.journal);
  REQUIRE(opened.journal->begin(head(match)));
  return *std::move(opened.journal);
}

inline void check_error(const Opened& opened, base::ErrorKind kind,
                        const std::string& part) {
  REQUIRE(opened.error);
  CAPTURE(opened.error->message);
  CHECK(opened.error->kind == kind);
  CHECK(opened.error->message.find(part) != std::string::npos);
}

inline std::string content(const std::string& path) {
  const auto text = base::read_file(path, size_t{1} << 30);
  REQUIRE(text);
  return *text;
}

// Writes a new file without syncing it.
inline void put(const std::string& path, const std::string& text) {
  ::unlink(path.c_str());  // some file systems sync what is truncated
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
  const base::Descriptor file(::open(path.c_str(), kFlags, 0600));
  REQUIRE(base::write_all(file.get(), text) == 0);
}

inline mode_t mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

}  // namespace llmroute::batch
