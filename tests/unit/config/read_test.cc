#include "config/read.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "base/files.h"
#include "base/text.h"

namespace llmroute::config {
namespace {

Node parsed(const std::string& text) {
  auto document = read_toml(text, "f");
  REQUIRE_MESSAGE(document, text);
  return *document;
}

TEST_CASE("every kind of value arrives with its place") {
  const Node root = parsed(
      "a = \"x\"\n"
      "b = -3\n"
      "c = 1.5\n"
      "d = true\n"
      "e = 1979-05-27\n"
      "f = [1,\n  \"two\"]\n"
      "g = { h = 0x10 }\n"
      "[i.j]\nk = inf\n");
  CHECK(root.find("a")->text == "x");
  CHECK(root.find("b")->integer == -3);
  CHECK(root.find("b")->number == -3);
  CHECK(root.find("c")->number == 1.5);
  CHECK(root.find("d")->flag);
  CHECK(root.find("e")->kind == Node::Kind::kDate);
  REQUIRE(root.find("f")->items.size() == 2);
  CHECK(root.find("f")->items[1].at.line == 7);
  CHECK(root.find("f")->items[1].at.column == 3);
  CHECK(root.find("g")->find("h")->integer == 16);
  CHECK(root.find("i")->find("j")->find("k")->kind == Node::Kind::kFloat);
  CHECK(root.find("z") == nullptr);
}

TEST_CASE("members come in the order of the file") {
  const Node root = parsed("z = 1\nb = 2\na = 3\n");
  REQUIRE(root.members.size() == 3);
  CHECK(root.members[0].key == "z");
  CHECK(root.members[2].key == "a");
  CHECK(root.members[2].at.line == 3);
}

TEST_CASE("a byte order mark and CRLF are fine") {
  const Node root = parsed(
      "\xEF\xBB\xBF"
      "a = 1\r\nb = 2\r\n");
  CHECK(root.find("b")->integer == 2);
}

TEST_CASE("malformed documents fail with file, line and column") {
  const std::string cases[] = {
      "a",
      "a =",
      "a = \n",
      "= 1",
      "[",
      "[]",
      "[a",
      "[[a]",
      "[a]]",
      "a = 1 b = 2",
      "a = 1\na = 2",
      "[a]\n[a]",
      "a = \"",
      "a = \"x\ny\"",
      "a = \"\\q\"",
      "a = \"\\uD800\"",
      "a = \"\\U00110000\"",
      "a = '''",
      "a = [1",
      "a = [1,,2]",
      "a = {b = 1",
      "a = {b = 1,}",
      "a = {b = 1\n}",
      "a = 01",
      "a = 1__0",
      "a = 0x",
      "a = 1.",
      "a = .5",
      "a = 1e",
      "a = +-1",
      "a = 99999999999999999999",
      "a = tru",
      "a = nope",
      "a = 2020-13-01",
      "a = 25:00:00",
      "a.b = 1\na = 2",
      "a = 1\n[a.b]",
      "a = []\n[[a]]",
      "[[a]]\n[a]",
      "a = {b = 1}\n[a.c]",
      "a = \"\x01\"",
      "\x7f = 1",
      "a = 1 # \x02",
      "\"\"\"a\"\"\" = 1",
      "a = \"\"\"\\",
      "a = inf.",
      "a = 1 .5",
      "a b = 1",
      "a..b = 1",
      ".a = 1",
      "a. = 1",
      "\r",
      "a = \r",
      "a = 1\r b = 1",
  };
  for (const std::string& text : cases) {
    CAPTURE(text);
    const auto document = read_toml(text, "dir/f.toml");
    REQUIRE_FALSE(document);
    CHECK(document.error().kind == base::ErrorKind::kConfig);
    const auto parts = base::split(document.error().message, ':');
    REQUIRE(parts.size() >= 4);
    CHECK(parts[0] == "dir/f.toml");
    CHECK(base::parse_int(parts[1]).value_or(0) >= 1);
    CHECK(base::parse_int(parts[2]).value_or(0) >= 1);
    CHECK(parts[3].size() > 3);
  }
}

TEST_CASE("documents on which the library gives up have a line too") {
  struct Case {
    std::string text, place;
  };
  const Case cases[] = {
      {"a = 1\nb = [}\n", "f:2:6: '}' where ']' was expected"},
      {"a = 1\n]\n", "f:2:1: ']' closes nothing"},
      {"a = 1\n[*]\n", "f:2:2: the name of a section was expected"},
      {"a = 1\n[[ .a ]]\n", "f:2:4: the name of a section was expected"},
      {"a = 1\nb = 1979-05-27T&:3x1\nc = 2\n", "f:2:1: not valid TOML"},
      {"d=1979-05-27 1\n", "f:1:1: not valid TOML"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const auto document = read_toml(c.text, "f");
    REQUIRE_FALSE(document);
    CHECK(document.error().message == c.place);
  }
}

// Mutations of a document that uses everything: whatever comes of it is a
// document or an error.
TEST_CASE("damaged documents never end the process") {
  const auto whole = base::read_file(
      LLMROUTE_SOURCE_DIR "/tests/fuzz/corpus/config/full.toml", kMaxFile);
  REQUIRE(whole);
  constexpr uint32_t kSeed = 20260918;
  std::mt19937 random(kSeed);
  const std::string alphabet = "[]{}\"'=.,#\n\r\\ 01e+-:_TZabtrue\x7f\x01";
  size_t errors = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text = *whole;
    const size_t changes = 1 + random() % 4;
    for (size_t i = 0; i < changes; ++i) {
      const size_t at = random() % text.size();
      const char c = alphabet[random() % alphabet.size()];
      if (random() % 3 == 0) {
        text.insert(at, 1, c);
      } else if (random() % 2 == 0) {
        text.erase(at, 1 + random() % 8);
      } else {
        text[at] = c;
      }
    }
    if (!read_toml(text, "f")) ++errors;
  }
  CHECK(errors > 1000);
}

TEST_CASE("a document cut anywhere is a document or an error") {
  const auto whole = base::read_file(
      LLMROUTE_SOURCE_DIR "/tests/fuzz/corpus/config/full.toml", kMaxFile);
  REQUIRE(whole);
  for (size_t size = 0; size <= whole->size(); ++size) {
    const auto document = read_toml(whole->substr(0, size), "f");
    if (!document) CHECK(document.error().message.starts_with("f:"));
  }
}

}  // namespace
}  // namespace llmroute::config
