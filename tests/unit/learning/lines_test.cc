#include "learning/lines.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <string>
#include <vector>

#include "temporary_file.h"

using llmroute::base::ErrorKind;
using llmroute::learning::LineReader;

namespace {

std::string gzipped(const std::string& text) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8,
                       Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(text.size() + 1000, '\0');
  stream.next_in =
      reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // NOLINT
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

struct Lines {
  std::vector<std::string> lines;
  std::string error;
  ErrorKind kind = ErrorKind::kSoftware;
};

Lines read_lines(const std::string& bytes) {
  const TemporaryFile file(bytes);
  auto reader = LineReader::open(file.path());
  REQUIRE(reader);
  Lines all;
  std::string_view line;
  for (;;) {
    const auto more = reader->next(line);
    if (!more) {
      all.error = more.error().message;
      all.kind = more.error().kind;
      return all;
    }
    if (!*more) return all;
    all.lines.emplace_back(line);
    CHECK(reader->number() == static_cast<int64_t>(all.lines.size()));
  }
}

}  // namespace

TEST_CASE("lines end at LF; a CR before it, a byte order mark go") {
  struct Case {
    std::string bytes;
    std::vector<std::string> lines;
  };
  const std::vector<Case> cases = {
      {"", {}},
      {"a", {"a"}},
      {"a\n", {"a"}},
      {"a\n\nb", {"a", "", "b"}},
      {"\xef\xbb\xbf"
       "a\r\n\r\n \t\nb\rc\n\xef\xbb\xbf\n",
       {"a", "", "", "b\rc", "\xef\xbb\xbf"}},
      {"a\xe2\x80\xa8"
       "b\x0b\x0c\xc2\x85\n",
       {"a\xe2\x80\xa8"
        "b\x0b\x0c\xc2\x85"}},
      {std::string("a\0b\n", 4), {std::string("a\0b", 3)}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.bytes);
    CHECK(read_lines(c.bytes).lines == c.lines);
    if (!c.bytes.empty()) CHECK(read_lines(gzipped(c.bytes)).lines == c.lines);
  }
}

TEST_CASE("lines longer than a block are whole") {
  const std::string big(1'000'000, 'x');
  const Lines all = read_lines(big + "\nshort\n" + big);
  CHECK(all.lines == std::vector<std::string>{big, "short", big});
}

TEST_CASE("a truncated or damaged gzip stream is an error, not an end") {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i * 7919) + "\n";
  const std::string whole = gzipped(text);
  const Lines cut = read_lines(whole.substr(0, whole.size() / 2));
  CHECK(cut.error != "");
  CHECK(cut.kind == ErrorKind::kData);
  std::string damaged = whole;
  damaged[whole.size() / 2] = static_cast<char>(~damaged[whole.size() / 2]);
  CHECK(read_lines(damaged).kind == ErrorKind::kData);
}

TEST_CASE("another gzip stream or zeros may follow one, nothing else") {
  const std::string one = gzipped("a\n"), two = gzipped("b\n");
  const std::vector<std::string> both = {"a", "b"};
  CHECK(read_lines(one + two).lines == both);
  CHECK(read_lines(one + two + std::string(700'000, '\0')).lines == both);
  for (const std::string& tail :
       {std::string("x"), std::string("{\"prompt\":1}\n"), std::string("\x1f"),
        std::string("\x1f\x8b"), std::string("\0x", 2),
        std::string(1, '\0') + two}) {
    CAPTURE(tail);
    const Lines all = read_lines(one + tail);
    CHECK(all.lines == std::vector<std::string>{"a"});
    CHECK(all.kind == ErrorKind::kData);
    CHECK(all.error.find("after line 1: ") != std::string::npos);
  }
}

TEST_CASE("a file that cannot be opened is no input") {
  const auto reader = LineReader::open("/nonexistent/rows.jsonl");
  REQUIRE(!reader);
  CHECK(reader.error().kind == ErrorKind::kNoInput);
  CHECK(reader.error().message.find("/nonexistent/rows.jsonl") !=
        std::string::npos);
}
