#include "provider/event_stream.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

namespace llmroute::provider {
namespace {

// "name|data|error" of each event, "!" after one that was not terminated.
std::vector<std::string> events_of(const std::vector<std::string>& chunks) {
  std::vector<std::string> events;
  const auto keep = [&events](const StreamEvent& event) {
    events.push_back(std::string(event.name) + "|" + std::string(event.data) +
                     "|" + std::string(event.error) +
                     (event.unterminated ? "!" : ""));
    return true;
  };
  EventStream stream;
  for (const std::string& chunk : chunks) {
    REQUIRE(stream.feed(chunk, keep) == Fed::kMore);
  }
  REQUIRE(stream.finish(keep) == Fed::kMore);
  return events;
}

struct Case {
  const char* what;
  std::string text;
  std::vector<std::string> events;
};

const std::vector<Case> kCases = {
    {"one event", "data: a\n\n", {"|a|"}},
    {"no blank after the colon", "data:a\n\n", {"|a|"}},
    {"one blank is removed, not two", "data:  a\n\n", {"| a|"}},
    {"lines are joined by LF", "data: a\ndata: b\n\n", {"|a\nb|"}},
    {"an empty data line counts", "data\ndata:\n\n", {"|\n|"}},
    {"CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", {"|a|", "|b|"}},
    {"CR", "data: a\r\rdata: b\r\r", {"|a|", "|b|"}},
    {"mixed line ends", "data: a\r\n\rdata: b\n\r\n", {"|a|", "|b|"}},
    {"names", "event: ping\ndata: {}\n\n", {"ping|{}|"}},
    {"a name does not outlive its event",
     "event: a\ndata: 1\n\ndata: 2\n\n",
     {"a|1|", "|2|"}},
    {"a name without data is no event", "event: a\n\ndata: 2\n\n", {"|2|"}},
    {"comments", ": keep-alive\n\n:\n\ndata: a\n: b\n\n", {"|a|"}},
    {"unknown fields", "id: 3\nretry: 5\nfoo: bar\ndata: a\n\n", {"|a|"}},
    {"a field of a similar name", "data2: a\ndat: b\n\n", {}},
    {"an error field", "error: {}\n\n", {"||{}"}},
    {"a byte order mark",
     "\xEF\xBB\xBF"
     "data: a\n\n",
     {"|a|"}},
    {"a second byte order mark is text",
     "\xEF\xBB\xBF\xEF\xBB\xBF"
     "data: a\n\n",
     {}},
    {"half a byte order mark is text",
     "\xEF\xBB"
     "data: a\n\n",
     {}},
    {"no empty line at the end", "data: a\n\ndata: b\n", {"|a|", "|b|!"}},
    {"no line end at the end", "data: [DONE]", {"|[DONE]|!"}},
    {"blank lines only", "\n\r\n\r", {}},
    {"nothing", "", {}},
    {"a colon in the data", "data: a: b\n\n", {"|a: b|"}},
};

TEST_CASE("events are read as the standard says") {
  for (const Case& c : kCases) {
    CAPTURE(c.what);
    CHECK(events_of({c.text}) == c.events);
  }
}

TEST_CASE("events do not depend on how the bytes are cut") {
  const unsigned seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (const Case& c : kCases) {
    CAPTURE(c.what);
    std::vector<std::string> single;
    for (const char byte : c.text) single.emplace_back(1, byte);
    CHECK(events_of(single) == c.events);
    for (size_t cut = 0; cut <= c.text.size(); ++cut) {
      CAPTURE(cut);
      CHECK(events_of({c.text.substr(0, cut), c.text.substr(cut)}) == c.events);
    }
    for (int round = 0; round < 500; ++round) {
      std::vector<std::string> chunks;
      size_t at = 0;
      while (at < c.text.size()) {
        const size_t length = random() % 5;
        chunks.push_back(c.text.substr(at, length));
        at += length;
      }
      REQUIRE(events_of(chunks) == c.events);
    }
  }
}

// Random streams against a plain reading of the standard: normalise line ends,
// split, interpret.
std::vector<std::string> slow_events(std::string text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  std::string lines;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      lines += text[i];
    } else if (i + 1 == text.size() || text[i + 1] != '\n') {
      lines += '\n';
    }
  }
  std::vector<std::string> events;
  std::string name, data;
  bool has_data = false;
  for (size_t at = 0; at < lines.size();) {
    const size_t end = lines.find('\n', at);
    const std::string line = lines.substr(at, end - at);
    at = end == std::string::npos ? lines.size() : end + 1;
    if (line.empty()) {
      if (has_data) events.push_back(name + "|" + data + "|");
      name = data = "";
      has_data = false;
      continue;
    }
    const size_t colon = line.find(':');
    std::string value =
        colon == std::string::npos ? "" : line.substr(colon + 1);
    if (value.starts_with(' ')) value.erase(0, 1);
    const std::string field = line.substr(0, colon);
    if (field == "data") {
      data += (has_data ? "\n" : "") + value;
      has_data = true;
    } else if (field == "event") {
      name = value;
    }
  }
  if (has_data) events.push_back(name + "|" + data + "|!");
  return events;
}

TEST_CASE("random streams are read like the slow oracle reads them") {
  const std::vector<std::string> kParts = {
      "data",  ":",    " ",     "a",       "\n",  "\r",    "\r\n",
      "event", "\n\n", "data:", "data: x", ": c", "id: 1", "\xEF\xBB\xBF"};
  const unsigned seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 10'000; ++round) {
    std::string text;
    const auto parts = random() % 20;
    for (auto i = parts; i > 0; --i) {
      text += kParts[random() % kParts.size()];
    }
    const size_t cut = random() % (text.size() + 1);
    CAPTURE(text);
    REQUIRE(events_of({text.substr(0, cut), text.substr(cut)}) ==
            slow_events(text));
  }
}

TEST_CASE("an event over 8 MiB is refused, whether in one line or in many") {
  const auto ignore = [](const StreamEvent&) { return true; };
  const std::string mebibyte(size_t{1} << 20, 'x');
  SUBCASE("one line") {
    EventStream stream;
    Fed fed = Fed::kMore;
    for (int i = 0; i < 9 && fed == Fed::kMore; ++i) {
      fed = stream.feed(mebibyte, ignore);
    }
    CHECK(fed == Fed::kTooLarge);
  }
  SUBCASE("many lines") {
    EventStream stream;
    Fed fed = Fed::kMore;
    for (int i = 0; i < 9 && fed == Fed::kMore; ++i) {
      fed = stream.feed("data: " + mebibyte + "\n", ignore);
    }
    CHECK(fed == Fed::kTooLarge);
  }
  SUBCASE("many small events are no large one") {
    EventStream stream;
    for (int i = 0; i < 20; ++i) {
      CHECK(stream.feed("data: " + mebibyte + "\n\n", ignore) == Fed::kMore);
    }
  }
}

TEST_CASE("after the handler has said stop nothing is handed over") {
  int count = 0;
  const auto once = [&count](const StreamEvent&) {
    ++count;
    return false;
  };
  EventStream stream;
  CHECK(stream.feed("data: a\n\ndata: b\n\ndata: c", once) == Fed::kStopped);
  CHECK(stream.feed("data: d\n\n", once) == Fed::kStopped);
  CHECK(stream.finish(once) == Fed::kStopped);
  CHECK(count == 1);
}

}  // namespace
}  // namespace llmroute::provider
