#include "batch/part_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <thread>

#include "../config/temporary.h"

namespace llmroute::batch {
namespace {

using base::ErrorKind;
using config::TemporaryDirectory;

std::string content(const std::string& path) {
  const auto text = base::read_file(path, size_t{1} << 24);
  return text ? *text : "(" + text.error().message + ")";
}

mode_t mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

PartFile create(const std::string& out,
                ExistingOutput existing = ExistingOutput::kRefuse) {
  auto part = PartFile::create(out, existing);
  REQUIRE(part);
  return std::move(*part);
}

void check_refused(const std::string& out, ExistingOutput existing,
                   const std::string& why) {
  const auto part = PartFile::create(out, existing);
  CAPTURE(out);
  REQUIRE(!part);
  CHECK(part.error().kind == ErrorKind::kCannotCreate);
  CHECK(part.error().message.find(why) != std::string::npos);
}

}  // namespace

TEST_CASE("a part grows as it is flushed and becomes the output") {
  const TemporaryDirectory directory;
  const std::string out = directory.file("out.jsonl");
  PartFile part = create(out);
  CHECK(part.path() == out + ".part");
  CHECK(part.write_line(R"({"id":1})"));
  CHECK(content(part.path()).empty());
  CHECK(part.flush());
  CHECK(content(part.path()) == "{\"id\":1}\n");
  CHECK(part.write_line(R"({"id":2})"));
  const auto digest = part.publish();
  REQUIRE(digest);
  CHECK(content(out) == "{\"id\":1}\n{\"id\":2}\n");
  CHECK(digest->size == 18);
  CHECK(digest->sha256 == base::hex(base::sha256(content(out))));
  CHECK(*read_output_digest(out) == *digest);
  CHECK(!base::file_exists(out + ".part"));
}

TEST_CASE("lines beyond the buffer are all there") {
  const TemporaryDirectory directory;
  const std::string out = directory.file("out");
  PartFile part = create(out);
  std::string all;
  for (int i = 0; i < 3000; ++i) {
    const std::string line(static_cast<size_t>(i % 997), 'x');
    REQUIRE(part.write_line(line));
    all += line + '\n';
  }
  const std::string large(1'000'000, 'y');
  REQUIRE(part.write_line(large));
  const auto digest = part.publish();
  REQUIRE(digest);
  CHECK(content(out) == all + large + '\n');
  CHECK(*read_output_digest(out) == *digest);
}

TEST_CASE("an output without lines is an empty file") {
  const TemporaryDirectory directory;
  const auto digest = create(directory.file("out")).publish();
  REQUIRE(digest);
  CHECK(digest->size == 0);
  CHECK(*read_output_digest(directory.file("out")) == *digest);
}

TEST_CASE("what is left of an old part is never trusted") {
  const TemporaryDirectory directory;
  const std::string out = directory.file("out");
  directory.write("out.part", "old and longer than the new one\n");
  { CHECK(create(out).write_line("lost in the buffer")); }
  CHECK(content(out + ".part").empty());
  PartFile part = create(out);
  CHECK(part.write_line("new"));
  CHECK(part.publish());
  CHECK(content(out) == "new\n");
}

TEST_CASE("F9 an existing output is replaced with force alone") {
  const TemporaryDirectory directory;
  const std::string out = directory.write("out", "old", 0640);
  check_refused(out, ExistingOutput::kRefuse, "--force");
  CHECK(!base::file_exists(out + ".part"));
  PartFile part = create(out, ExistingOutput::kReplace);
  CHECK(part.write_line("new"));
  CHECK(content(out) == "old");
  CHECK(part.publish());
  CHECK(content(out) == "new\n");
  CHECK(mode_of(out) == 0640);
}

TEST_CASE("F9 a directory is refused, forced or not") {
  const TemporaryDirectory directory;
  check_refused(directory.path(), ExistingOutput::kRefuse, "directory");
  check_refused(directory.path(), ExistingOutput::kReplace, "directory");
  check_refused(directory.file("none/out"), ExistingOutput::kRefuse,
                "No such file");
}

TEST_CASE("F9 a link to a file is an existing output, and stays a link") {
  const TemporaryDirectory directory;
  const std::string target = directory.write("target", "old");
  const std::string out = directory.file("out");
  REQUIRE(::symlink("target", out.c_str()) == 0);
  check_refused(out, ExistingOutput::kRefuse, "--force");
  CHECK(create(out, ExistingOutput::kReplace).publish());
  CHECK(content(target).empty());
  struct stat info {};
  REQUIRE(::lstat(out.c_str(), &info) == 0);
  CHECK(S_ISLNK(info.st_mode));
  REQUIRE(::unlink(target.c_str()) == 0);
  check_refused(out, ExistingOutput::kRefuse, "--force");
}

TEST_CASE("F9 a FIFO and a device are written directly") {
  const TemporaryDirectory directory;
  const std::string out = directory.file("fifo");
  REQUIRE(::mkfifo(out.c_str(), 0600) == 0);
  std::string received;
  std::thread reader([&] { received = content(out); });
  {
    PartFile part = create(out);
    CHECK(part.path() == out);
    CHECK(part.write_line("through"));
    const auto digest = part.publish();
    REQUIRE(digest);
    CHECK(digest->size == 8);
  }
  reader.join();
  CHECK(received == "through\n");
  CHECK(!base::file_exists(out + ".part"));
  CHECK(create("/dev/null").publish());
}

TEST_CASE("F2 a full device is an i/o error") {
  PartFile part = create("/dev/full");
  CHECK(part.write_line("x"));
  const auto flushed = part.flush();
  REQUIRE(!flushed);
  CHECK(flushed.error().kind == ErrorKind::kIo);
}

TEST_CASE("A18 a link planted at the part's place is not followed") {
  const TemporaryDirectory directory;
  const std::string victim = directory.write("victim", "precious");
  const std::string part = directory.file("out.part");
  REQUIRE(::symlink(victim.c_str(), part.c_str()) == 0);
  check_refused(directory.file("out"), ExistingOutput::kReplace, "out.part");
  CHECK(content(victim) == "precious");
  // Neither is a second name of a file written to.
  REQUIRE(::unlink(part.c_str()) == 0);
  REQUIRE(::link(victim.c_str(), part.c_str()) == 0);
  PartFile file = create(directory.file("out"));
  CHECK(file.write_line("x"));
  CHECK(file.publish());
  CHECK(content(victim) == "precious");
}

TEST_CASE("F8 a part that cannot be renamed is kept and named") {
  const TemporaryDirectory directory;
  const std::string out = directory.file("out");
  PartFile part = create(out);
  CHECK(part.write_line("whole"));
  REQUIRE(::mkdir(out.c_str(), 0700) == 0);  // in the way of the rename
  const auto published = part.publish();
  REQUIRE(!published);
  CHECK(published.error().kind == ErrorKind::kIo);
  CHECK(published.error().message.find(out + ".part") != std::string::npos);
  CHECK(content(out + ".part") == "whole\n");
}

TEST_CASE("an output that appeared meanwhile is not overwritten") {
  const TemporaryDirectory directory;
  const std::string out = directory.file("out");
  for (const auto existing :
       {ExistingOutput::kRefuse, ExistingOutput::kCompare}) {
    PartFile part = create(out, existing);
    CHECK(part.write_line("ours"));
    directory.write("out", "theirs\n");
    const auto published = part.publish();
    REQUIRE(!published);
    CHECK(published.error().kind == ErrorKind::kCannotCreate);
    CHECK(published.error().message.find("--force") != std::string::npos);
    CHECK(content(out) == "theirs\n");
    CHECK(content(out + ".part") == "ours\n");
    REQUIRE(::unlink(out.c_str()) == 0);
  }
}

TEST_CASE("a resumed batch may publish again what it had published") {
  const TemporaryDirectory directory;
  const std::string out = directory.write("out", "same\n");
  PartFile part = create(out, ExistingOutput::kCompare);
  CHECK(part.write_line("same"));
  CHECK(part.publish());
  CHECK(content(out) == "same\n");
}

TEST_CASE("F13 the output's mode follows the umask") {
  const TemporaryDirectory directory;
  const mode_t before = ::umask(0);
  const std::string open_to_all = directory.file("open");
  CHECK(create(open_to_all).publish());
  ::umask(0777);
  const std::string closed = directory.file("closed");
  for (int run = 0; run < 2; ++run) {  // the second meets the first one's part
    PartFile part = create(closed);
    CHECK(part.write_line("works"));
    CHECK(part.flush());
    if (run == 1) CHECK(part.publish());
  }
  ::umask(before);
  CHECK(mode_of(open_to_all) == 0666);
  CHECK(mode_of(closed) == 0);
  REQUIRE(::chmod(closed.c_str(), 0600) == 0);
  CHECK(content(closed) == "works\n");
}

TEST_CASE("there is no digest of what is not a file") {
  const TemporaryDirectory directory;
  CHECK(!read_output_digest(directory.file("none"))->has_value());
  CHECK(!read_output_digest(directory.path())->has_value());
  CHECK(!read_output_digest("/dev/null")->has_value());
}

}  // namespace llmroute::batch
