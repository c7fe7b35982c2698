#include "config/trusted_file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "temporary.h"

namespace llmroute::config {
namespace {

using base::ErrorKind;

constexpr size_t kLimit = 1000;

// "" if it is read, else the kind of the error and its text.
std::string outcome(const std::string& path, Trust trust,
                    const std::string& home = "/") {
  const auto file = read_trusted(path, trust, home, kLimit);
  if (!file) {
    const bool permission = file.error().kind == ErrorKind::kNoPermission;
    if (!permission) CHECK(file.error().kind == ErrorKind::kConfig);
    return permission ? "no permission" : "config";
  }
  return *file ? "" : "absent";
}

TEST_CASE("a file of ours that others cannot write is read") {
  const TemporaryDirectory directory;
  for (const mode_t mode : {0600U, 0644U, 0400U, 0444U}) {
    const std::string path = directory.write("f", "text", mode);
    const auto file = read_trusted(path, Trust::kFile, "", kLimit);
    REQUIRE(file);
    REQUIRE(*file);
    CHECK((*file)->text == "text");
    CHECK((*file)->secret == ((mode & 077) == 0));
    REQUIRE(::unlink(path.c_str()) == 0);
  }
}

TEST_CASE("a file that others can write is refused") {
  const TemporaryDirectory directory;
  for (const mode_t mode : {0620U, 0602U, 0664U, 0666U, 0777U}) {
    CHECK(outcome(directory.write("f", "x", mode), Trust::kFile) ==
          "no permission");
  }
}

TEST_CASE("a file of another user's is refused, whatever its mode") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: giving files away needs root");
    return;
  }
  const TemporaryDirectory directory;
  const std::string path = directory.write("f", "x", 0600);
  REQUIRE(::chown(path.c_str(), 12345, 12345) == 0);
  CHECK(outcome(path, Trust::kFile) == "no permission");
  const std::string link = directory.file("link");
  REQUIRE(::symlink(path.c_str(), link.c_str()) == 0);
  CHECK(outcome(link, Trust::kFile) == "no permission");
}

TEST_CASE("what is not a regular file is refused without blocking") {
  const TemporaryDirectory directory;
  const std::string fifo = directory.file("fifo");
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(outcome(fifo, Trust::kFile) == "config");
  CHECK(outcome(directory.path(), Trust::kFile) == "config");
  CHECK(outcome("/dev/null", Trust::kFile) == "config");
  CHECK(outcome("/dev/zero", Trust::kFile) == "config");
  const std::string dangling = directory.file("dangling");
  REQUIRE(::symlink("/nonexistent/x", dangling.c_str()) == 0);
  CHECK(outcome(dangling, Trust::kFile) == "config");
  const std::string loop = directory.file("loop");
  REQUIRE(::symlink(loop.c_str(), loop.c_str()) == 0);
  CHECK(outcome(loop, Trust::kFile) == "config");
}

TEST_CASE("a missing file is not an error here") {
  const TemporaryDirectory directory;
  CHECK(outcome(directory.file("none"), Trust::kDirectories) == "absent");
  CHECK(outcome(directory.file("none/none"), Trust::kFile) == "absent");
}

TEST_CASE("directories up to home must be safe too") {
  const TemporaryDirectory directory;
  const std::string path = directory.write("home/a/b/f", "x", 0600);
  const std::string home = directory.file("home");
  CHECK(outcome(path, Trust::kDirectories, home) == "");
  // With /tmp above it, which is everybody's but sticky.
  CHECK(outcome(path, Trust::kDirectories, "/elsewhere") == "");
  for (const char* name : {"home/a/b", "home/a", "home"}) {
    const std::string open = directory.file(name);
    REQUIRE(::chmod(open.c_str(), 0770) == 0);
    CHECK(outcome(path, Trust::kDirectories, home) == "no permission");
    CHECK(outcome(path, Trust::kFile, home) == "");
    REQUIRE(::chmod(open.c_str(), 0700) == 0);
  }
  // Above home nobody looks.
  REQUIRE(::chmod(directory.path().c_str(), 0777) == 0);
  CHECK(outcome(path, Trust::kDirectories, home) == "");
  CHECK(outcome(path, Trust::kDirectories, "/elsewhere") == "no permission");
}

TEST_CASE("a secret must be readable by us alone") {
  const TemporaryDirectory directory;
  CHECK(outcome(directory.write("f", "x", 0600), Trust::kSecret) == "");
  CHECK(outcome(directory.write("g", "x", 0400), Trust::kSecret) == "");
  CHECK(outcome(directory.write("h", "x", 0640), Trust::kSecret) ==
        "no permission");
  CHECK(outcome(directory.write("i", "x", 0604), Trust::kSecret) ==
        "no permission");
}

TEST_CASE("a file over the limit is refused") {
  const TemporaryDirectory directory;
  const std::string path =
      directory.write("f", std::string(kLimit + 1, 'x'), 0600);
  CHECK(outcome(path, Trust::kFile) == "config");
}

}  // namespace
}  // namespace llmroute::config
