#include "learning/csv.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using llmroute::base::ErrorKind;
using llmroute::learning::CsvParser;

namespace {

using Records = std::vector<std::vector<std::string>>;

struct Parsed {
  Records records;
  std::string error;
};

void take(const CsvParser& parser, Records& records) {
  auto& fields = records.emplace_back();
  for (size_t i = 0; i < parser.size(); ++i) fields.emplace_back(parser[i]);
}

Parsed parse(std::string_view text, size_t step = SIZE_MAX) {
  CsvParser parser;
  Parsed parsed;
  while (!text.empty()) {
    std::string_view piece = text.substr(0, step);
    text.remove_prefix(piece.size());
    for (;;) {
      const auto whole = parser.feed(piece);
      if (!whole) {
        CHECK(whole.error().kind == ErrorKind::kData);
        return {parsed.records, whole.error().message};
      }
      if (!*whole) break;
      take(parser, parsed.records);
    }
  }
  const auto last = parser.finish();
  if (!last) return {parsed.records, last.error().message};
  if (*last) take(parser, parsed.records);
  return parsed;
}

}  // namespace

TEST_CASE("records are split as RFC 4180 has it, however they are cut") {
  const struct {
    std::string text;
    Records records;
  } cases[] = {
      {"a,b\r\n1,2\r\n", {{"a", "b"}, {"1", "2"}}},
      {"a,b\n1,2", {{"a", "b"}, {"1", "2"}}},
      {"\"a,\"\"b\"\"\r\nc\",d\n", {{"a,\"b\"\r\nc", "d"}}},
      {"a,,\n", {{"a", "", ""}}},
      {"\"\"\n,\n", {{""}, {"", ""}}},
      {"a\n\n\r\nb\n", {{"a"}, {"b"}}},
      {"\xef\xbb\xbf"
       "a\n",
       {{"a"}}},
      {"x\ry,2\n", {{"x\ry", "2"}}},
      {"x\r", {{"x\r"}}},
      {"5\" disk,1\n", {{"5\" disk", "1"}}},
      {"\"x\"\r\n\"y\"", {{"x"}, {"y"}}},
      {"", {}},
  };
  for (const auto& c : cases) {
    for (const size_t step : {SIZE_MAX, size_t{1}, size_t{3}}) {
      CAPTURE(c.text);
      CAPTURE(step);
      const Parsed parsed = parse(c.text, step);
      CHECK(parsed.error == "");
      CHECK(parsed.records == c.records);
    }
  }
}

TEST_CASE("what is no table is refused by record and line") {
  CHECK(parse("a\n\"b\nc").error ==
        "record 2 (line 2): a quote that is never closed");
  CHECK(parse("\"a\nb\"\n\n\"c\"d\n").error ==
        "record 2 (line 4): text after a closing quote");
  CHECK(parse("\"c\"\r\"\n").error ==
        "record 1 (line 1): text after a closing quote");
  CHECK(parse("\xef\xbbx").error ==
        "record 0 (line 1): begins with half a byte order mark");
  CHECK(parse(std::string(20'000, ',')).error ==
        "record 1 (line 1): more than 10000 fields");
}

TEST_CASE("a column that is not wanted is read over") {
  CsvParser parser;
  parser.want({true, false});
  std::string_view text = "a,\"long\n\",c\n";
  const auto whole = parser.feed(text);
  REQUIRE(whole);
  CHECK(*whole);
  REQUIRE(parser.size() == 3);
  CHECK(parser[0] == "a");
  CHECK(parser[1].empty());
  CHECK(parser[2] == "c");
}
