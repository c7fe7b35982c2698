#include "analyzer/scan.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "analyzer/word_classes.h"

using llmroute::analyzer::find_word_class;
using llmroute::analyzer::GramKind;
using llmroute::analyzer::kMostEdges;
using llmroute::analyzer::kWordClasses;
using llmroute::analyzer::Scanner;
using llmroute::analyzer::Surface;
using llmroute::analyzer::word_hash;

namespace {

struct RecordingSink {
  std::vector<uint64_t> words, pairs, edges;

  void gram(GramKind kind, uint64_t hash, size_t, size_t) {
    if (kind == GramKind::kWord) words.push_back(hash);
    if (kind == GramKind::kPair) pairs.push_back(hash);
    if (kind == GramKind::kEdge) edges.push_back(hash);
  }
};

struct Scanned {
  RecordingSink sink;
  Surface surface;
};

Scanned scan(std::string_view text) {
  Scanned scanned;
  Scanner<RecordingSink> scanner(scanned.sink, scanned.surface);
  scanner.feed(text, true);
  return scanned;
}

std::vector<uint64_t> hashes(const std::vector<std::string>& words) {
  std::vector<uint64_t> all;
  for (const std::string& word : words) all.push_back(word_hash(word));
  return all;
}

}  // namespace

TEST_CASE("text is cut into lower-case words without punctuation") {
  struct Case {
    const char* text;
    std::vector<std::string> words;
  };
  const std::vector<Case> cases = {
      {"", {}},
      {"Hello, World!", {"hello", "world"}},
      {"don't STOP", {"dont", "stop"}},
      {"a  b\tc\r\nd", {"a", "b", "c", "d"}},
      {"in 2024 or 7", {"in", "0000", "or", "0"}},
      {"1234567 v12", {"0000", "v00"}},
      {"x=y", {"x", "=", "y"}},
      {"a ==== b", {"a", "=", "b"}},
      {"snake_case", {"snake", "_", "case"}},
      {"\xc3\x89TUDE \xc3\xa9tude", {"\xc3\xa9tude", "\xc3\xa9tude"}},
      {"\xd0\x9f\xd0\xa0\xd0\x98 \xd0\xbf\xd1\x80\xd0\xb8",
       {"\xd0\xbf\xd1\x80\xd0\xb8", "\xd0\xbf\xd1\x80\xd0\xb8"}},
      {"\xce\x91\xce\xa3", {"\xce\xb1\xcf\x83"}},
      {"\xe6\x97\xa5\xe6\x9c\xac", {"\xe6\x97\xa5", "\xe6\x9c\xac"}},
      {"\xe2\x80\x9cquoted\xe2\x80\x9d", {"quoted"}},
      {"end\xe3\x80\x82next", {"end", "next"}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK(scan(c.text).sink.words == hashes(c.words));
  }
}

TEST_CASE("case, punctuation, blanks and digits' values change no n-gram") {
  const Scanned plain = scan("summarise the 12 points of this text please");
  const char* same[] = {"Summarise the 34 points of this text, please!",
                        "SUMMARISE THE 12 POINTS OF THIS TEXT PLEASE",
                        "summarise  the\n99 points... of this (text) please?"};
  for (const char* text : same) {
    CAPTURE(text);
    const Scanned other = scan(text);
    CHECK(other.sink.words == plain.sink.words);
    CHECK(other.sink.pairs == plain.sink.pairs);
    CHECK(other.sink.edges == plain.sink.edges);
  }
}

TEST_CASE("edges are the first and the last words, each once") {
  CHECK(scan("one two three").sink.edges.size() == 3 + 2);
  std::string text;
  for (int i = 0; i < 15; ++i) text += std::string(1, char('a' + i)) + " ";
  CHECK(scan(text).sink.edges.size() == 15 + 14);
  for (int i = 0; i < 500; ++i) text += "word ";
  CHECK(scan(text).sink.edges.size() == kMostEdges - 1);
}

TEST_CASE("invalid and cut-off sequences are breaks, never read beyond") {
  const std::string whole = "a \xe6\x97\xa5 \xf0\x9f\x98\x80 \xc3\xa9";
  for (size_t size = 0; size <= whole.size(); ++size) {
    const std::vector<char> exact(whole.begin(),
                                  whole.begin() + std::ptrdiff_t(size));
    scan({exact.data(), exact.size()});
  }
  CHECK(scan("a\xff"
             "b")
            .sink.words == hashes({"a", "b"}));
  CHECK(scan("a\x80"
             "b")
            .sink.words == hashes({"a", "b"}));
  CHECK(scan("ab\xe6\x97").sink.words == hashes({"ab"}));
}

TEST_CASE("lines are counted by how they begin and end") {
  const Surface s = scan(
                        "Choose:\n"
                        "A. first\n"
                        "B) second\n"
                        "\n"
                        "- point\n"
                        "* point\n"
                        "1. step\n"
                        "    code();\n"
                        "  if {\n"
                        "why?")
                        .surface;
  CHECK(s.lines == 10);
  CHECK(s.blank_lines == 1);
  CHECK(s.option_lines == 2);
  CHECK(s.bullet_lines == 2);
  CHECK(s.numbered_lines == 1);
  CHECK(s.indented_lines == 2);
  CHECK(s.statement_ends == 2);
  CHECK(s.colon_ends == 1);
  CHECK(s.question_ends == 1);
}

TEST_CASE("words are counted by length and kind") {
  const Surface s = scan("a cat sat on 12345 mats, remarkably").surface;
  CHECK(s.words == 7);
  CHECK(s.short_words == 4);
  CHECK(s.long_words == 1);
  CHECK(s.numbers == 1);
  CHECK(s.long_numbers == 1);
  CHECK(s.lone_letters == 1);
}

TEST_CASE("every word of a class is found, others are not") {
  for (size_t i = 0; i < std::size(kWordClasses); ++i) {
    const std::string_view words = kWordClasses[i].words;
    const std::string first(words.substr(0, words.find(' ')));
    CAPTURE(first);
    CHECK(find_word_class(word_hash(first)) == i + 1);
  }
  CHECK(find_word_class(word_hash("xylophone")) == 0);
  CHECK(find_word_class(word_hash("")) == 0);
}
