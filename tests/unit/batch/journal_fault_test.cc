// A journal whose file is damaged, hostile, locked, or cannot be written.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/crc32c.h"
#include "base/text.h"
#include "batch/journal.h"
#include "batch/journal_file.h"
#include "journal_fixture.h"

namespace llmroute::batch {
namespace {

using base::Descriptor;
using base::ErrorKind;

JournalOptions repairing() {
  JournalOptions options = unsynced();
  options.repair = true;
  return options;
}

std::string three_records() {
  return encode_frame(head()) + encode_frame(record(1)) +
         encode_frame(record(2)) + encode_frame(record(3));
}

// The descriptor by which this process has `path` open.
int descriptor_of(const std::string& path) {
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    if (std::filesystem::read_symlink(entry, error) == path) {
      return static_cast<int>(
          *base::parse_int(entry.path().filename().string()));
    }
  }
  FAIL("not open: " << path);
  return -1;
}

template <class T>
void check_io(const T& status) {
  REQUIRE(!status);
  CHECK(status.error().kind == ErrorKind::kIo);
}

// Runs `child` in a process of its own that then waits to be killed.
class Child {
 public:
  template <class F>
  explicit Child(F child) {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::close(ready[0]);
      child();
      (void)!::write(ready[1], "r", 1);
      for (;;) ::pause();
    }
    ::close(ready[1]);
    char byte = 0;
    const ssize_t got = ::read(ready[0], &byte, 1);
    ::close(ready[0]);
    REQUIRE(got == 1);
  }
  ~Child() { kill(); }

  pid_t pid() const { return pid_; }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
};

// What `child` says in a process of its own.
template <class F>
bool in_child(F child) {
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) ::_exit(child() ? 0 : 1);
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return status == 0;
}

}  // namespace

TEST_CASE("A26 a file that is no journal is left as it is") {
  const TemporaryDirectory directory;
  for (const std::string& text : {
           std::string("{\"prompt\":\"a\"}\n"),
           std::string("\n"),
           std::string("abc"),
           encode_frame(record(1)),
           "x" + three_records(),
           std::string(100'000, '0'),
           std::string(1000, '\0'),
           "{}\n" + three_records(),
       }) {
    const std::string path = directory.write("j", text);
    CAPTURE(text.substr(0, 30));
    check_error(open_journal(path), ErrorKind::kData, "not a journal");
    check_error(open_journal(path, repairing()), ErrorKind::kData,
                "not a journal");
    CHECK(content(path) == text);
  }
}

TEST_CASE("A26 a journal of another version is left as it is") {
  const TemporaryDirectory directory;
  const std::string payload = R"({"frame":"H","version":7})";
  const std::string text =
      fmt::format("{:08x} {:08x} {}\nx\n{}", payload.size(),
                  base::crc32c(payload), payload, encode_frame(record(1)));
  const std::string path = directory.write("j", text);
  check_error(open_journal(path), ErrorKind::kData, "format 7");
  check_error(open_journal(path, repairing()), ErrorKind::kData, "format 7");
  CHECK(content(path) == text);
}

TEST_CASE("a creation that was interrupted counts as new") {
  const TemporaryDirectory directory;
  const std::string line = encode_frame(head());
  for (size_t size = 0; size < line.size(); ++size) {
    const std::string path = directory.write("j", line.substr(0, size));
    CAPTURE(size);
    Opened opened = open_journal(path);
    REQUIRE(opened.journal);
    CHECK(!opened.journal->head());
    REQUIRE(opened.journal->begin(head()));
    CHECK(content(path) == line);
  }
}

TEST_CASE("damage in the middle is told, and repaired on demand alone") {
  const TemporaryDirectory directory;
  const std::string first = encode_frame(head()) + encode_frame(record(1));
  const std::string last =
      encode_frame(record(3)) + encode_frame(JournalSend{4, {5}});
  for (const std::string& middle :
       {std::string("\n"), std::string("junk\nmore junk\n"),
        std::string(7, '\0') + "\n", encode_frame(head()),
        encode_frame(record(2)).substr(0, 50) + "\n",
        encode_frame(record(2)).replace(100, 1, "\n"),
        encode_frame(record(2)).replace(5, 1, "9")}) {
    const std::string path = directory.write("j", first + middle + last);
    CAPTURE(middle.substr(0, 60));
    const Opened opened = open_journal(path);
    check_error(opened, ErrorKind::kData,
                fmt::format("byte {}: --repair keeps the 2 good results and "
                            "asks the rest again",
                            first.size()));
    CHECK(content(path) == first + middle + last);
    {
      Opened repaired = open_journal(path, repairing());
      REQUIRE(repaired.journal);
      CHECK(repaired.records.size() == 2);
      CHECK(repaired.journal->orphaned() == core::Money{5});
      CHECK(repaired.journal->append(record(2)));
    }
    CHECK(content(path) == first + last + encode_frame(record(2)));
    CHECK(mode_of(path) == 0600);
    CHECK(!base::file_exists(path + ".llmroute-new"));
    CHECK(open_journal(path).records.size() == 3);
  }
}

TEST_CASE("F12 a hole that a loss of power left is no damage") {
  const TemporaryDirectory directory;
  const std::string first = encode_frame(head()) + encode_frame(record(1));
  const std::string last = encode_frame(record(3));
  const std::string second = encode_frame(record(2));
  // Zeros also where two blocks of what is read meet.
  for (const size_t zeros : {size_t{8}, size_t{4096}, size_t{700'000}}) {
    for (const std::string& middle :
         {std::string(zeros, '\0'), std::string(zeros, '\0') + "tail\n",
          second.substr(0, 50) + std::string(zeros, '\0') + "\n"}) {
      const std::string path = directory.write("j", first + middle + last);
      CAPTURE(zeros);
      const Opened opened = open_journal(path);
      REQUIRE(opened.journal);
      CHECK(opened.records.contains(1));
      CHECK(!opened.records.contains(2));
      CHECK(content(path).find('\0') == std::string::npos);
    }
  }
  const std::string padding((size_t{256} << 10) - first.size() - 4, 'x');
  const std::string line = padding + std::string(8, '\0') + "\n";
  const std::string path = directory.write("j", first + line + last);
  REQUIRE(open_journal(path).journal);
}

TEST_CASE("a bad end is cut off, also when asked to repair") {
  const TemporaryDirectory directory;
  for (const std::string& tail :
       {std::string("0"), std::string("junk\n"), std::string("junk\n\njunk"),
        std::string(5000, '\0'), encode_frame(record(4)).substr(0, 300),
        encode_frame(head()), "ffffffff 00000000 {" + std::string(100, 'x')}) {
    for (const JournalOptions& options : {unsynced(), repairing()}) {
      const std::string path = directory.write("j", three_records() + tail);
      CAPTURE(tail.substr(0, 60));
      Opened opened = open_journal(path, options);
      REQUIRE(opened.journal);
      CHECK(opened.records.size() == 3);
      CHECK(content(path) == three_records());
      CHECK(opened.journal->append(record(4)));
      opened.journal.reset();
      CHECK(open_journal(path).records.size() == 4);
    }
  }
}

TEST_CASE("a lost LF costs one frame, not two") {
  const TemporaryDirectory directory;
  std::string text =
      encode_frame(head()) + encode_frame(record(1)) + encode_frame(record(2));
  text[text.size() - encode_frame(record(2)).size() - 1] = 'x';
  const std::string path = directory.write("j", text);
  check_error(open_journal(path), ErrorKind::kData, "keeps the 1 good");
  const Opened opened = open_journal(path, repairing());
  CHECK(opened.records.size() == 1);
  CHECK(opened.records.at(2) == record(2));
}

TEST_CASE("A26 memory stays small whatever lengths are claimed") {
  const TemporaryDirectory directory;
  for (const char* claim : {"ffffffff", "07ffff00", "junkjunk"}) {
    CAPTURE(claim);
    const std::string path =
        directory.write("j", three_records() + claim + " 00000000 ");
    // Much without an LF, unless the claim is one that could be true.
    const size_t hole = claim[1] == '7' ? 1 << 20 : 1 << 28;
    const auto size = static_cast<off_t>(content(path).size() + hole);
    REQUIRE(::truncate(path.c_str(), size) == 0);
    const bool good = in_child([&] {
      rusage before{}, after{};
      ::getrusage(RUSAGE_SELF, &before);
      const Opened opened = open_journal(path);
      ::getrusage(RUSAGE_SELF, &after);
      return opened.records.size() == 3 &&
             after.ru_maxrss - before.ru_maxrss < 16 << 10;  // KiB
    });
    CHECK(good);
    CHECK(content(path) == three_records());
  }
}

TEST_CASE("A26 a journal of lines that were sent and never answered") {
  const TemporaryDirectory directory;
  std::string text = encode_frame(head());
  for (int64_t line = 1; line <= 100'001; ++line) {
    text += encode_frame(JournalSend{line, {1}});
  }
  const std::string path = directory.write("j", text);
  check_error(open_journal(path), ErrorKind::kData, "no result");
}

TEST_CASE("A18 a link at the journal's place is not followed") {
  const TemporaryDirectory directory;
  const std::string target = directory.write("target", three_records());
  const std::string path = directory.file("j");
  REQUIRE(::symlink(target.c_str(), path.c_str()) == 0);
  check_error(open_journal(path), ErrorKind::kCannotCreate, "symbolic link");
  REQUIRE(::unlink(target.c_str()) == 0);
  check_error(open_journal(path), ErrorKind::kCannotCreate, "symbolic link");
  CHECK(!base::file_exists(target));
}

TEST_CASE("what is not a regular file cannot be a journal") {
  const TemporaryDirectory directory;
  const std::string fifo = directory.file("fifo");
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  for (const std::string& path :
       {fifo, directory.path(), std::string("/dev/null")}) {
    CAPTURE(path);
    check_error(open_journal(path), ErrorKind::kCannotCreate,
                "not a regular file");
  }
  check_error(open_journal(directory.file("none/j")), ErrorKind::kCannotCreate,
              "No such file");
}

TEST_CASE("A26 a journal that others could have written is refused") {
  const TemporaryDirectory directory;
  for (const mode_t mode : {0620U, 0602U, 0666U}) {
    const std::string path = directory.write("j", three_records(), mode);
    check_error(open_journal(path), ErrorKind::kNoPermission, "chmod 600");
    CHECK(mode_of(path) == mode);
  }
  const std::string path = directory.write("j", three_records());
  if (::geteuid() == 0) {  // nobody else can give a file away
    REQUIRE(::chown(path.c_str(), 65534, 65534) == 0);
    check_error(open_journal(path), ErrorKind::kNoPermission, "another user");
  }
}

TEST_CASE("F13 a journal is ours alone whatever the umask") {
  const TemporaryDirectory directory;
  const mode_t before = ::umask(0);
  for (const mode_t mask : {0000U, 0777U}) {
    ::umask(mask);
    const std::string path = directory.file("j" + std::to_string(mask));
    {
      Journal journal = begun(path);
      CHECK(mode_of(path) == 0600);
      CHECK(journal.append(record(1)));
    }
    Opened opened = open_journal(path);
    REQUIRE(opened.journal);
    CHECK(opened.journal->finish(JournalEnd()));
    CHECK(mode_of(path) == 0600);
  }
  ::umask(before);
  const std::string readable = directory.write("r", three_records(), 0644);
  CHECK(open_journal(readable).journal);
  CHECK(mode_of(readable) == 0600);
}

TEST_CASE("K3 a journal in use names the process, and is free once it dies") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("j");
  Child child([&] {
    static Journal journal = begun(path);
    (void)journal.append(record(1)).has_value();
  });
  check_error(open_journal(path), ErrorKind::kTryLater,
              fmt::format("in use by process {}", child.pid()));
  CHECK(content(path) == encode_frame(head()) + encode_frame(record(1)));
  child.kill();
  CHECK(open_journal(path).records.size() == 1);
}

TEST_CASE("K3 the lock goes with the name when a journal is written anew") {
  const TemporaryDirectory directory;
  const std::string path = directory.write(
      "j", encode_frame(head()) + "damage\n" + encode_frame(record(1)));
  Child child([&] {
    static Opened opened = open_journal(path, repairing());
    CHECK(opened.journal);
  });
  CHECK(content(path) == encode_frame(head()) + encode_frame(record(1)));
  check_error(open_journal(path), ErrorKind::kTryLater,
              fmt::format("in use by process {}", child.pid()));
}

TEST_CASE("K3 whoever gets a journal gets the one that has the name") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("j");
  { begun(path); }
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    for (int i = 0; i < 100; ++i) {
      // Each time it is written anew.
      (void)Journal::open(path, repairing(), [](const auto&, auto) {
      }).has_value();
      const Descriptor file(::open(path.c_str(), O_WRONLY | O_APPEND));
      (void)base::write_all(file.get(), "damage\n" + encode_frame(record(1)));
    }
    ::_exit(0);
  }
  int opened = 0;
  while (::waitpid(child, nullptr, WNOHANG) == 0) {
    auto file = open_journal_file(path);
    if (!file) {
      REQUIRE(file.error().kind == ErrorKind::kTryLater);
      continue;
    }
    struct stat ours {
    }, named{};
    REQUIRE(::fstat(file->get(), &ours) == 0);
    REQUIRE(::stat(path.c_str(), &named) == 0);
    REQUIRE(ours.st_ino == named.st_ino);
    ++opened;
  }
  CHECK(opened > 0);
}

TEST_CASE("F5 after a failed sync nothing counts as written") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("j");
  Journal journal = begun(path, JournalOptions());
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const Descriptor reader(ends[0]), writer(ends[1]);
  // A pipe in the file's place can be written, but not synced.
  REQUIRE(::dup2(writer.get(), descriptor_of(path)) >= 0);
  REQUIRE(journal.append(record(1)));
  CHECK(journal.sync_if_due(base::Monotonic{}));  // in the background
  check_io(journal.sync());
  check_io(journal.sync_if_due(base::Monotonic{}));
  check_io(journal.append(record(2)));
  check_io(journal.append(JournalSend{2, {1}}));
  check_io(journal.sync());
  check_io(journal.finish(JournalEnd()));
  check_io(journal.begin(head()));
}

TEST_CASE("F2 a full disk ends the journal with a whole frame") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("j");
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto ignored = ::signal(SIGXFSZ, SIG_IGN);
  {
    Journal journal = begun(path);
    REQUIRE(journal.append(record(1)));
    const std::string whole = content(path);
    const rlimit full{whole.size() + 20, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &full) == 0);
    const auto appended = journal.append(record(2));  // 20 bytes get there
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    check_io(appended);
    CHECK(content(path) == whole);
    CHECK(!journal.find(2)->has_value());
    CHECK(journal.append(record(3)));  // there is room again
  }
  ::signal(SIGXFSZ, ignored);
  const Opened opened = open_journal(path);
  CHECK(opened.records.size() == 2);
  CHECK(opened.records.at(3) == record(3));
}

TEST_CASE("F2 half a frame that cannot be taken back ends all writing") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("j");
  Journal journal = begun(path);
  const int fd = descriptor_of(path);
  const Descriptor file(::dup(fd));
  const Descriptor full(::open("/dev/full", O_RDWR));
  REQUIRE(::dup2(full.get(), fd) == fd);  // cannot be truncated either
  check_io(journal.append(record(1)));
  REQUIRE(::dup2(file.get(), fd) == fd);
  check_io(journal.append(record(2)));
  CHECK(content(path) == encode_frame(head()));
}

}  // namespace llmroute::batch
