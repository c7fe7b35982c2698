#include "batch/input_lines.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "scratch.h"

using llmroute::base::Descriptor;
using llmroute::base::ErrorKind;
using llmroute::batch::FileIdentity;
using llmroute::batch::InputLine;
using llmroute::batch::InputLines;
using llmroute::batch::InputOptions;
using Next = llmroute::batch::InputLines::Next;

namespace {

// "number:text", "number!" for a line that is too long.
std::string shown(const InputLine& line) {
  return std::to_string(line.number) +
         (line.too_long ? std::string("!") : ":" + std::string(line.text));
}

using Lines = std::vector<std::string>;

// Everything until there is nothing more for now.
Next drain(InputLines& lines, Lines& seen) {
  for (;;) {
    InputLine line;
    const auto next = lines.next(line);
    REQUIRE(next);
    if (*next != Next::kLine) return *next;
    seen.push_back(shown(line));
  }
}

Lines lines_of(const std::vector<std::string>& paths,
               InputOptions options = {}) {
  auto lines = InputLines::open(paths, options);
  REQUIRE(lines);
  Lines seen;
  CHECK(drain(*lines, seen) == Next::kEnd);
  CHECK(lines->fd() == -1);
  return seen;
}

Lines lines_of_text(std::string_view text, InputOptions options = {}) {
  const Scratch scratch;
  return lines_of({scratch.write("in", text)}, options);
}

InputOptions plain() {
  InputOptions options;
  options.json = false;
  return options;
}

}  // namespace

TEST_CASE("I6: CRLF, byte-order mark, blank lines and a missing last LF") {
  struct Case {
    std::string_view text;
    Lines expected;
  };
  const Case cases[] = {
      {"", {}},
      {"\n\n \t\n\r\n", {}},
      {"a\nb\n", {"1:a", "2:b"}},
      {"a\nb", {"1:a", "2:b"}},
      {"a\r\nb\r\n", {"1:a", "2:b"}},
      {"a\r\r\n", {"1:a\r"}},
      {"a\r", {"1:a"}},
      {"\xEF\xBB\xBF"
       "a\n\xEF\xBB\xBF"
       "b\n",
       {"1:a",
        "2:\xEF\xBB\xBF"
        "b"}},
      {"\xEF\xBB\xBF", {}},
      {"\xEF\xBB", {"1:\xEF\xBB"}},
      {"\n\na\n\n\nb\n", {"3:a", "6:b"}},
      {"{\"a\":1}\n{\"a\":", {"1:{\"a\":1}", "2:{\"a\":"}},
  };
  for (const Case& one : cases) {
    CAPTURE(one.text);
    CHECK(lines_of_text(one.text) == one.expected);
  }
}

TEST_CASE("NUL-separated lines keep their line feeds and carriage returns") {
  InputOptions options = plain();
  options.separator = '\0';
  CHECK(lines_of_text(std::string_view("a\nb\r\0\0[c]\0d", 11), options) ==
        Lines{"1:a\nb\r", "3:[c]", "4:d"});
}

TEST_CASE("inputs follow each other and are numbered as one") {
  const Scratch scratch;
  const std::string a = scratch.write("a", "1\n2"), b = scratch.write("b", ""),
                    c = scratch.write("c",
                                      "\xEF\xBB\xBF"
                                      "3\n4\n");
  CHECK(lines_of({a, b, c}) == Lines{"1:1", "2:2", "3:3", "4:4"});
}

TEST_CASE("an input that cannot be opened is told before anything is read") {
  const Scratch scratch;
  const std::string good = scratch.write("good", "a\n");
  for (const std::string& bad : {scratch.path("missing"), scratch.path()}) {
    CAPTURE(bad);
    const std::vector<std::string> paths = {good, bad};
    const auto lines = InputLines::open(paths);
    REQUIRE(!lines);
    CHECK(lines.error().kind == ErrorKind::kNoInput);
    CHECK(lines.error().message.find(bad) != std::string::npos);
  }
}

TEST_CASE("I7: a line that is too long is an item and the rest goes on") {
  InputOptions options;
  options.longest_line = 8;
  options.block = 4;
  CHECK(lines_of_text("12345678\n123456789\nc\n", options) ==
        Lines{"1:12345678", "2!", "3:c"});
  CHECK(lines_of_text("a\n" + std::string(1000, 'x'), options) ==
        Lines{"1:a", "2!"});
  CHECK(lines_of_text(std::string(1000, 'x') + "\n\nb", options) ==
        Lines{"1!", "3:b"});
}

TEST_CASE("I7: a line of 256 MiB is passed over in a bounded buffer") {
  const Scratch scratch;
  const std::string path = scratch.write("in", "a\n");
  // A hole in the file: NUL bytes that take no space.
  std::filesystem::resize_file(path, size_t{256} << 20);
  const Descriptor out(::open(path.c_str(), O_WRONLY | O_APPEND));
  REQUIRE(llmroute::base::write_all(out.get(), "\nb\n") == 0);
  CHECK(lines_of({path}) == Lines{"1:a", "2!", "3:b"});
}

TEST_CASE("I9: a JSON array is refused with a hint") {
  const Scratch scratch;
  InputOptions small;
  small.longest_line = 8;
  for (const char* text : {"[", "[\n{}\n]\n", "\n  [{}]", "\xEF\xBB\xBF[{}]\n",
                           "[{\"a\":1},{\"a\":2},{\"a\":3}]"}) {
    for (const InputOptions& options : {InputOptions(), small}) {
      CAPTURE(text);
      const std::vector<std::string> paths = {scratch.write("first", "{}\n"),
                                              scratch.write("in", text)};
      auto lines = InputLines::open(paths, options);
      REQUIRE(lines);
      InputLine line;
      REQUIRE(lines->next(line));
      const auto refused = lines->next(line);
      REQUIRE(!refused);
      CHECK(refused.error().kind == ErrorKind::kData);
      CHECK(refused.error().message.find("jq -c '.[]'") != std::string::npos);
      CHECK(refused.error().message.find(paths[1]) != std::string::npos);
    }
  }
  CHECK(lines_of_text("[a]\n", plain()) == Lines{"1:[a]"});
  CHECK(lines_of_text("{}\n[a]\n") == Lines{"1:{}", "2:[a]"});
}

TEST_CASE("skip, limit and shard choose lines without renumbering them") {
  const Scratch scratch;
  const std::string path = scratch.write("in", "a\n\nb\nc\nd\ne\nf\ng\n");
  const auto chosen = [&path](int64_t skip, std::optional<int64_t> limit,
                              int64_t shard = 1, int64_t shards = 1) {
    InputOptions options;
    options.skip = skip;
    options.limit = limit;
    options.shard = shard;
    options.shards = shards;
    auto lines = InputLines::open(std::vector<std::string>{path}, options);
    REQUIRE(lines);
    Lines seen;
    CHECK(drain(*lines, seen) == Next::kEnd);
    return seen;
  };
  CHECK(chosen(0, 0) == Lines{});
  CHECK(chosen(0, 2) == Lines{"1:a", "3:b"});
  CHECK(chosen(5, {}) == Lines{"7:f", "8:g"});
  CHECK(chosen(1, 2) == Lines{"3:b", "4:c"});
  CHECK(chosen(9, 2) == Lines{});
  CHECK(chosen(0, {}, 1, 3) == Lines{"1:a", "5:d", "8:g"});
  CHECK(chosen(0, {}, 2, 3) == Lines{"3:b", "6:e"});
  CHECK(chosen(0, {}, 3, 3) == Lines{"4:c", "7:f"});
  CHECK(chosen(1, 4, 1, 3) == Lines{"3:b", "6:e"});
}

TEST_CASE("nothing is read once the limit is reached") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const Descriptor in(ends[0]);
  const Descriptor out(ends[1]);
  InputOptions options;
  options.limit = 1;
  auto lines = InputLines::open(
      std::vector<std::string>{"/dev/fd/" + std::to_string(in.get())}, options);
  REQUIRE(lines);
  Lines seen;
  CHECK(drain(*lines, seen) == Next::kWait);
  REQUIRE(llmroute::base::write_all(out.get(), "a\nb") == 0);
  CHECK(drain(*lines, seen) == Next::kEnd);
  CHECK(seen == Lines{"1:a"});
}

TEST_CASE("a slow producer is waited for by polling, never by blocking") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const Descriptor in(ends[0]);
  Descriptor out(ends[1]);
  auto lines = InputLines::open(
      std::vector<std::string>{"/dev/fd/" + std::to_string(in.get())});
  REQUIRE(lines);
  Lines seen;
  CHECK(drain(*lines, seen) == Next::kWait);
  CHECK(lines->fd() >= 0);
  REQUIRE(llmroute::base::write_all(out.get(), "{\"a\"") == 0);
  CHECK(drain(*lines, seen) == Next::kWait);
  CHECK(seen.empty());
  REQUIRE(llmroute::base::write_all(out.get(), ":1}\n{") == 0);
  CHECK(drain(*lines, seen) == Next::kWait);
  CHECK(seen == Lines{"1:{\"a\":1}"});
  out.reset();
  CHECK(drain(*lines, seen) == Next::kEnd);
  CHECK(seen == Lines{"1:{\"a\":1}", "2:{"});
}

TEST_CASE("I13: an input that is replaced or grows is read on by descriptor") {
  const Scratch scratch;
  const std::string path = scratch.write("in", "a\nb\n");
  auto lines = InputLines::open(std::vector<std::string>{path});
  REQUIRE(lines);
  const Descriptor old(::open(path.c_str(), O_WRONLY | O_APPEND));
  scratch.write("in", "other\n");  // by rename
  InputLine line;
  REQUIRE(lines->next(line));
  CHECK(shown(line) == "1:a");
  REQUIRE(llmroute::base::write_all(old.get(), "c\n") == 0);
  Lines seen;
  CHECK(drain(*lines, seen) == Next::kEnd);
  CHECK(seen == Lines{"2:b", "3:c"});
}

TEST_CASE("I14: an input is known by device and inode under any name") {
  const Scratch scratch;
  const std::string path = scratch.write("in", "a\n");
  REQUIRE(::symlink(path.c_str(), scratch.path("link").c_str()) == 0);
  const std::string other = scratch.write("other", "a\n");
  auto lines =
      InputLines::open(std::vector<std::string>{scratch.path("link"), other});
  REQUIRE(lines);
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  const FileIdentity expected{info.st_dev, info.st_ino};
  REQUIRE(lines->files().size() == 2);
  CHECK(lines->files()[0] == expected);
  CHECK_FALSE(lines->files()[1] == expected);
}

TEST_CASE("a line's offset leads back to its bytes") {
  const Scratch scratch;
  const std::string text =
      "\xEF\xBB\xBF"
      "first\r\n\n" +
      std::string(100, 'x') + "\nsecond\nthird";
  InputOptions options;
  options.block = 7;
  options.longest_line = 20;
  auto lines =
      InputLines::open(std::vector<std::string>{scratch.write("before", "a\nb"),
                                                scratch.write("in", text)},
                       options);
  REQUIRE(lines);
  InputLine line;
  for (int i = 0; i < 2; ++i) REQUIRE(lines->next(line));
  for (const char* expected : {"first", "", "second", "third"}) {
    REQUIRE(lines->next(line));
    CHECK(line.text == expected);
    if (line.too_long) continue;
    CHECK(text.substr(static_cast<size_t>(line.offset), line.text.size()) ==
          expected);
  }
}

namespace {

// What the lines of a text are, by the plainest means.
Lines oracle(std::string_view text, const InputOptions& options) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Lines lines;
  for (int64_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find(options.separator);
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
    const bool too_long = line.size() > options.longest_line;
    if (options.separator == '\n' && line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (too_long) {
      lines.push_back(std::to_string(number) + "!");
    } else if (line.find_first_not_of(" \t\r\n\v\f") != line.npos) {
      lines.push_back(std::to_string(number) + ":" + std::string(line));
    }
  }
  return lines;
}

std::string random_text(std::mt19937& random) {
  static constexpr std::string_view kPieces[] = {
      "\n",
      "\r\n",
      "\n",
      std::string_view("\0", 1),
      "a",
      "bc",
      " ",
      "\r",
      "\xEF\xBB\xBF",
      "\xEF",
      "longer than the longest line"};
  std::string text;
  for (size_t n = random() % 12; n > 0; --n) {
    text += kPieces[random() % std::size(kPieces)];
  }
  return text;
}

Lines through_a_pipe(std::string_view text, const InputOptions& options,
                     std::mt19937& random) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const Descriptor in(ends[0]);
  Descriptor out(ends[1]);
  auto lines = InputLines::open(
      std::vector<std::string>{"/dev/fd/" + std::to_string(in.get())}, options);
  REQUIRE(lines);
  Lines seen;
  while (!text.empty()) {
    const size_t size = std::min<size_t>(text.size(), 1 + random() % 9);
    REQUIRE(llmroute::base::write_all(out.get(), text.substr(0, size)) == 0);
    text.remove_prefix(size);
    CHECK(drain(*lines, seen) == Next::kWait);
  }
  out.reset();
  CHECK(drain(*lines, seen) == Next::kEnd);
  return seen;
}

}  // namespace

TEST_CASE("lines do not depend on how their bytes come: 10,000 cases") {
  for (uint32_t seed = 0; seed < 10'000; ++seed) {
    std::mt19937 random(seed);
    InputOptions options = plain();
    options.longest_line = 3 + random() % 10;
    options.block = 1 + random() % 16;
    options.separator = random() % 4 == 0 ? '\0' : '\n';
    const std::string text = random_text(random);
    const Lines expected = oracle(text, options);
    const Lines seen = through_a_pipe(text, options, random);
    if (seen != expected) {
      CAPTURE(seed);
      CAPTURE(text);
      CHECK(seen == expected);
      break;
    }
  }
}
