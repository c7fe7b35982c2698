#include "batch/journal_frame.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

#include "base/crc32c.h"
#include "batch/line_index.h"
#include "journal_fixture.h"

namespace llmroute::batch {
namespace {

std::string framed(const std::string& payload) {
  return fmt::format("{:08x} {:08x} {}", payload.size(), base::crc32c(payload),
                     payload);
}

template <class Frame>
void check_round_trip(const Frame& frame) {
  std::string line = encode_frame(frame);
  REQUIRE(line.ends_with('\n'));
  CHECK(line.find('\n') == line.size() - 1);
  CHECK(claimed_length(line) == line.size());
  line.pop_back();
  const auto decoded = decode_frame(line);
  CAPTURE(line);
  REQUIRE(decoded);
  REQUIRE(std::holds_alternative<Frame>(*decoded));
  CHECK(std::get<Frame>(*decoded) == frame);
}

JournalEnd end() {
  return {{std::string(64, 'a'), 12'345'678'901}, 10, 2, 1, "c0ffee"};
}

}  // namespace

TEST_CASE("a frame is a line with its length and checksum") {
  CHECK(encode_frame(JournalSend{12, {345}}) ==
        "00000022 a6022ef4 {\"frame\":\"A\",\"line\":12,\"hold\":345}\n");
}

TEST_CASE("frames come back as they were") {
  check_round_trip(head());
  check_round_trip(JournalSend{kMostLines, core::Money::max()});
  check_round_trip(JournalSend{2, {-345}});
  check_round_trip(end());
  check_round_trip(record(1));
  check_round_trip(record(2, false));
  JournalRecord bare;
  bare.line = 3;
  bare.out = "{}";
  check_round_trip(bare);
  JournalRecord odd = record(4);
  odd.id = std::string("\",\"out\":{}\\ \n\t\x01\0 \xf0\x9f\x98\x80", 22);
  odd.model = std::string(100'000, '"');
  odd.cost_estimated = true;
  odd.orphaned = {7};
  odd.earlier = {{"out", {1}}, {",\"out\":", core::Money::max()}};
  check_round_trip(odd);
}

TEST_CASE("an output line comes back in its bytes") {
  for (const char* out :
       {R"({"meta":{"n":123456789012345678901234567890,"x":1e400,"z":-0}})",
        R"({ "a" : 1,"a":2 ,"out":{"out":{}} })", R"({"text":"\ud83d"})",
        R"({"text":",\"out\":"})"}) {
    CAPTURE(out);
    JournalRecord made = record(1);
    made.out = out;
    check_round_trip(made);
  }
}

TEST_CASE("invalid UTF-8 comes back replaced") {
  JournalRecord made = record(1);
  made.id = "a\xff";
  std::string line = encode_frame(made);
  line.pop_back();
  const auto decoded = decode_frame(line);
  REQUIRE(decoded);
  CHECK(std::get<JournalRecord>(*decoded).id == "a\xef\xbf\xbd");
}

TEST_CASE("A26 payloads that are not exactly a frame's are refused") {
  CHECK(decode_frame(framed(R"({"frame":"A","line":1,"hold":0})")));
  CHECK(decode_frame(
      framed(R"({"frame":"H","version":2,"run":"a","config":"b",)"
             R"("match":"id","form":"native","parts":{"a":"1"}})")));
  CHECK(decode_frame(
      framed(R"({"frame":"E","sha256":"a","size":0,"ok":1,"failed":0,)"
             R"("status":0,"input":"b"})")));
  for (const char* payload : {
           "",
           "{}",
           "[]",
           "1",
           "{",
           R"({"frame":"X"})",
           R"({"frame":"A"})",
           R"({"line":1,"frame":"A","hold":0})",
           R"({"frame":"A","line":0,"hold":0})",
           R"({"frame":"A","line":-1,"hold":0})",
           R"({"frame":"A","line":1000000000001,"hold":0})",
           R"({"frame":"A","line":1,"hold":9223372036854775808})",
           R"({"frame":"A","line":1,"hold":0.5})",
           R"({"frame":"A","line":1,"hold":null})",
           R"({"frame":"A","line":1,"hold":0,"more":1})",
           R"({"frame":"A","line":1,"line":1})",
           R"({"frame":"A","line":1,"hold":0} )"
           "x",
           R"({"frame":"A","line":1,"hold":0,"out":{}})",
           R"({"frame":"H","version":2})",
           R"({"frame":"H","version":2,"run":"a","config":"b",)"
           R"("match":"id","form":"native"})",
           R"({"frame":"H","version":2,"run":"a","config":"b",)"
           R"("match":"id","form":"native","parts":{"a":1}})",
           R"({"frame":"E","sha256":"a","size":0,"ok":1,"failed":0,)"
           R"("status":0})",
           R"({"frame":"R","line":1,"out":{}})",
           R"({"frame":"E","sha256":1,"size":0,"ok":0,"failed":0,"status":0})",
       }) {
    CAPTURE(payload);
    CHECK(!decode_frame(framed(payload)));
  }
}

TEST_CASE("a record is refused if a part of it is off") {
  std::string line = encode_frame(record(1));
  const std::string payload = line.substr(18, line.size() - 19);
  REQUIRE(decode_frame(framed(payload)));
  for (const auto& [what, by] :
       std::vector<std::pair<std::string, std::string>>{
           {"\"ok\":true", "\"ok\":1"},
           {"\"cost\":1001", "\"cost\":-1"},
           {"\"cost\":1001", "\"cost\":\"1001\""},
           {base::hex(record(1).input), "ABCDEFABCDEFABCDEFABCDEFABCDEFAB"},
           {base::hex(record(1).input), "ab"},
           {"\"ms\":640", "\"ms\":null"},
           {"\"out\":{", "\"out\":["},
           {"\"out\":{", "\"aus\":{"},
           {"\"model\"", "\"Model\""},
       }) {
    std::string changed = payload;
    const size_t at = changed.find(what);
    CAPTURE(what);
    REQUIRE(at != std::string::npos);
    changed.replace(at, what.size(), by);
    CHECK(!decode_frame(framed(changed)));
  }
}

TEST_CASE("of a head of another version the version is read") {
  const auto decoded =
      decode_frame(framed(R"({"frame":"H","version":3,"new":[]})"));
  REQUIRE(decoded);
  CHECK(std::get<JournalHead>(*decoded).version == 3);
}

TEST_CASE("A26 a claim of more than any frame has is none") {
  CHECK(!claimed_length("ffffffff 00000000 "));
  CHECK(!claimed_length("08000000 00000000 "));
  CHECK(claimed_length("07ffffed 00000000 ") == kLargestFrame);
  CHECK(!claimed_length("0000000A 00000000 "));
  CHECK(!claimed_length("0000000a-00000000 "));
  CHECK(!claimed_length("0000000a 00000000"));
}

TEST_CASE("every part of a head's line is a torn head, other text is not") {
  const std::string line = encode_frame(head());
  for (size_t size = 1; size < line.size(); ++size) {
    CAPTURE(size);
    CHECK(is_torn_head(line.substr(0, size)));
  }
  for (const char* text : {"", "abc", "{\"prompt\":\"x\"}", "0000", "0000004g",
                           "00000040 12345678 {\"frame\":\"R\","}) {
    CAPTURE(text);
    CHECK(is_torn_head(text) == (std::string(text) == "0000"));
  }
}

}  // namespace llmroute::batch
