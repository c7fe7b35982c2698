#include "batch/journal.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

#include "journal_fixture.h"

namespace llmroute::batch {
namespace {

using base::ErrorKind;
using Monotonic = base::Monotonic;

JournalOptions retrying() {
  JournalOptions options = unsynced();
  options.retry_errors = true;
  return options;
}

JournalEnd end(int64_t failed = 0) {
  return {{std::string(64, 'e'), 99}, 3, failed, failed > 0 ? 1 : 0, "c0ffee"};
}

core::Money total(const Opened& opened) {
  return opened.journal->settled() + opened.journal->orphaned();
}

}  // namespace

TEST_CASE("a new journal has no head, a begun one has it and nothing else") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("j");
  {
    const Opened opened = open_journal(path);
    REQUIRE(opened.journal);
    CHECK(!opened.journal->head());
    CHECK(content(path).empty());
  }
  { begun(path); }
  const Opened opened = open_journal(path);
  REQUIRE(opened.journal);
  CHECK(opened.journal->head() == head());
  CHECK(!opened.journal->end());
  CHECK(opened.records.empty());
  CHECK(total(opened) == core::Money{0});
  CHECK(!opened.journal->find(1)->has_value());
}

TEST_CASE("records are found at once and by the next process") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("j");
  {
    Journal journal = begun(path);
    for (const int64_t line : {3, 1, 1'000'000'000}) {
      CHECK(journal.append(record(line)));
      CHECK(*journal.find(line) == record(line));
    }
    CHECK(!journal.find(2)->has_value());
  }
  const Opened opened = open_journal(path);
  REQUIRE(opened.journal);
  CHECK(opened.records.size() == 3);
  CHECK(opened.records.at(3) == record(3));
  CHECK(opened.records.at(1'000'000'000) == record(1'000'000'000));
  CHECK(opened.journal->settled() == core::Money{1'000'000'000 + 3004});
}

TEST_CASE("with match id a record is found by id and input, on any line") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("j");
  JournalRecord moved = record(1);
  {
    Journal journal = begun(path, unsynced(), "id");
    CHECK(journal.append(record(1)));
    CHECK(journal.append(record(2)));
    moved.id = "another";  // a new record took the line of an old one
    CHECK(journal.append(moved));
  }
  const auto check = [&](const Journal& journal) {
    CHECK(*journal.find("row-1", record(1).input) == record(1));
    CHECK(*journal.find("another", moved.input) == moved);
    CHECK(!journal.find("row-1", record(2).input)->has_value());
    CHECK(!journal.find("row-3", record(1).input)->has_value());
  };
  auto journal =
      Journal::open(path, unsynced(),
                    [](const JournalRecord&, const JournalRecord* replaced) {
                      CHECK(replaced == nullptr);
                    });
  REQUIRE(journal);
  check(*journal);
}

TEST_CASE("begin drops what was there, money too") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("j");
  {
    Journal journal = begun(path);
    CHECK(journal.append(JournalSend{2, {500}}));
    CHECK(journal.append(record(1)));
  }
  Opened opened = open_journal(path);
  REQUIRE(opened.journal);
  CHECK(opened.journal->begin(head("id")));
  CHECK(total(opened) == core::Money{0});
  CHECK(!opened.journal->find(1)->has_value());
  opened.journal.reset();
  const Opened again = open_journal(path);
  CHECK(again.records.empty());
  CHECK(again.journal->head()->match == "id");
}

TEST_CASE("what was said of a line may be taken back, and no more than that") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("j");
  {
    Journal journal = begun(path);
    CHECK(journal.append(JournalSend{2, {500}}));
    CHECK(journal.append(JournalSend{3, {700}}));
    CHECK(journal.append(JournalSend{2, {-200}}));
    CHECK(journal.append(JournalSend{3, {-900}}));
    CHECK(journal.append(JournalSend{3, {40}}));
  }
  const Opened opened = open_journal(path);
  REQUIRE(opened.journal);
  CHECK(opened.journal->orphaned() == core::Money{340});
}

TEST_CASE("an ended journal says how it ended and keeps its records") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("j");
  {
    Journal journal = begun(path);
    for (int64_t line = 1; line <= 3; ++line) {
      CHECK(journal.append(record(line)));
    }
    CHECK(journal.finish(end()));
    CHECK(journal.end() == end());
    CHECK(journal.records_before() == 0);
  }
  CHECK(mode_of(path) == 0600);
  const Opened opened = open_journal(path);
  CHECK(opened.journal->end() == end());
  CHECK(opened.records.size() == 3);
  CHECK(opened.journal->records_before() == 3);
}

TEST_CASE("after its end a journal goes on") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("j");
  {
    Journal journal = begun(path);
    CHECK(journal.append(record(1)));
    CHECK(journal.append(record(2, false)));
    CHECK(journal.finish(end(1)));
  }
  {
    Opened opened = open_journal(path, retrying());
    CHECK(opened.journal->end() == end(1));
    CHECK(opened.records.size() == 1);
    CHECK(opened.journal->append(record(2)));
    CHECK(!opened.journal->end());
  }
  Opened opened = open_journal(path);
  CHECK(!opened.journal->end());
  CHECK(opened.records.size() == 2);
  CHECK(opened.journal->finish(end()));
  CHECK(opened.journal->end() == end());
}

TEST_CASE("a journal killed while it was written anew is ended all the same") {
  const TemporaryDirectory directory;
  const std::string path =
      directory.write("j", encode_frame(head()) + encode_frame(record(1)) +
                               encode_frame(end()));
  directory.write("j.llmroute-new", encode_frame(head()));
  const Opened opened = open_journal(path);
  CHECK(opened.journal->end() == end());
  CHECK(opened.records.size() == 1);
  CHECK(!base::file_exists(path + ".llmroute-new"));
}

TEST_CASE("failed records count unless they are to be asked again") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("j");
  {
    Journal journal = begun(path);
    CHECK(journal.append(record(1)));
    CHECK(journal.append(record(2, false)));
  }
  CHECK(open_journal(path).records.size() == 2);
  {
    Opened opened = open_journal(path, retrying());
    CHECK(opened.records.size() == 1);
    CHECK(!opened.journal->find(2)->has_value());
    // What failed has cost what it cost, also after it has been asked again.
    CHECK(opened.journal->settled() == core::Money{2003});
    CHECK(opened.journal->append(record(2)));
  }
  const Opened opened = open_journal(path, retrying());
  CHECK(opened.records.at(2) == record(2));
  CHECK(opened.journal->settled() == core::Money{3005});
}

TEST_CASE("the last record of a line counts, of those that count at all") {
  const TemporaryDirectory directory;
  const std::string path =
      directory.write("j", encode_frame(head()) + encode_frame(record(1)) +
                               encode_frame(record(1, false)));
  CHECK(open_journal(path).records.at(1) == record(1, false));
  CHECK(open_journal(path, retrying()).records.at(1) == record(1));
}

TEST_CASE("what was sent without a record may have been spent") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("j");
  {
    Journal journal = begun(path);
    CHECK(journal.append(JournalSend{1, {10'000}}));
    CHECK(journal.append(JournalSend{1, {20'000}}));
    CHECK(journal.append(JournalSend{2, {40'000}}));
    CHECK(journal.append(record(2)));
  }
  {
    Opened opened = open_journal(path);
    CHECK(opened.journal->settled() == core::Money{1002});
    CHECK(opened.journal->orphaned() == core::Money{30'000});
    // The record of this process does not know what the killed one spent.
    CHECK(opened.journal->append(JournalSend{1, {10'000}}));
    CHECK(opened.journal->append(record(1)));
    CHECK(opened.journal->find(1)->value().orphaned == core::Money{30'000});
  }
  for (int i = 0; i < 2; ++i) {
    const Opened opened = open_journal(path);
    CHECK(opened.journal->settled() == core::Money{1002 + 1001 + 30'000});
    CHECK(opened.journal->orphaned() == core::Money{0});
  }
}

TEST_CASE("an unknown cost counts as all that was held for it") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("j");
  JournalRecord unknown = record(1);
  unknown.cost.reset();
  {
    Journal journal = begun(path);
    CHECK(journal.append(JournalSend{1, {10'000}}));
    CHECK(journal.append(JournalSend{1, {20'000}}));
    CHECK(journal.append(unknown));
    unknown.line = 2;
    CHECK(journal.append(unknown));  // no ceiling, no hold
  }
  const Opened opened = open_journal(path);
  CHECK(opened.journal->settled() == core::Money{30'000});
  CHECK(opened.journal->orphaned() == core::Money{0});
}

TEST_CASE("sums of money do not overflow") {
  const TemporaryDirectory directory;
  JournalRecord dear = record(1);
  dear.cost = core::Money::max();
  const std::string path = directory.write(
      "j", encode_frame(head()) + encode_frame(dear) + encode_frame(dear) +
               encode_frame(JournalSend{2, core::Money::max()}) +
               encode_frame(JournalSend{2, core::Money::max()}));
  const Opened opened = open_journal(path);
  CHECK(opened.journal->settled() == core::Money::max());
  CHECK(opened.journal->orphaned() == core::Money::max());
}

// Until the sync in the background is over.
Monotonic next_sync_of(const Journal& journal) {
  for (;;) {
    if (const auto due = journal.next_sync()) return *due;
    ::usleep(1000);
  }
}

TEST_CASE("a group is synced after a second or 64 records") {
  using std::chrono::milliseconds;
  const TemporaryDirectory directory;
  Journal journal = begun(directory.file("j"), JournalOptions());
  const Monotonic start{milliseconds(1'000'000)};
  CHECK(!journal.next_sync());
  CHECK(journal.append(record(1)));
  CHECK(*journal.next_sync() <= start);  // the first is not kept waiting
  CHECK(journal.sync_if_due(start));
  CHECK(!journal.next_sync());
  CHECK(journal.append(JournalSend{2, {1}}));
  CHECK(next_sync_of(journal) == start + milliseconds(1000));
  CHECK(journal.sync_if_due(start + milliseconds(999)));
  CHECK(journal.next_sync());
  CHECK(journal.sync_if_due(start + milliseconds(1000)));
  CHECK(!journal.next_sync());
  for (int64_t line = 1; line < Journal::kGroupRecords; ++line) {
    CHECK(journal.append(record(line)));
  }
  CHECK(next_sync_of(journal) == start + milliseconds(2000));
  CHECK(journal.append(record(64)));
  CHECK(next_sync_of(journal) <= start);
  CHECK(journal.sync());
  CHECK(!journal.next_sync());
}

TEST_CASE("what a killed process wrote is synced by the next one") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("j");
  { CHECK(begun(path).append(record(1))); }
  Opened opened = open_journal(path, JournalOptions());
  REQUIRE(opened.journal);
  REQUIRE(opened.journal->next_sync());
  CHECK(opened.journal->sync());
  CHECK(!opened.journal->next_sync());
}

TEST_CASE("other policies sync everything or nothing") {
  const TemporaryDirectory directory;
  JournalOptions always;
  always.fsync = FsyncPolicy::kAlways;
  Journal journal = begun(directory.file("always"), always);
  for (const int64_t line : {1, 2}) {
    CHECK(journal.append(record(line)));
    CHECK(*journal.next_sync() == Monotonic::min());
    CHECK(journal.sync_if_due(Monotonic{}));
    CHECK(!journal.next_sync());
  }
  Journal never = begun(directory.file("never"), unsynced());
  CHECK(never.append(record(1)));
  CHECK(!never.next_sync());
}

TEST_CASE("what could not be read back is not written") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("j");
  Journal journal = begun(path);
  const std::string before = content(path);
  JournalRecord wrong = record(1);
  wrong.out = "{\n}";
  JournalRecord negative = record(1);
  negative.ms = -1;
  JournalRecord nowhere = record(0);
  for (const JournalRecord& bad : {wrong, negative, nowhere}) {
    const auto appended = journal.append(bad);
    REQUIRE(!appended);
    CHECK(appended.error().kind == ErrorKind::kSoftware);
  }
  JournalRecord huge = record(1);
  huge.out = R"({"text":")" + std::string(kLargestFrame, 'x') + R"("})";
  const auto appended = journal.append(huge);
  REQUIRE(!appended);
  CHECK(appended.error().kind == ErrorKind::kData);
  CHECK(content(path) == before);
  CHECK(journal.append(record(1)));
}

}  // namespace llmroute::batch
