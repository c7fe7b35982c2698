// Properties of a journal: cut anywhere it is a prefix, a changed byte does not
// go unnoticed, and after any schedule of kills it says what happened.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "journal_fixture.h"

namespace llmroute::batch {
namespace {

using base::ErrorKind;

std::vector<std::string> some_frames() {
  JournalRecord failed = record(2, false);
  failed.cost.reset();
  return {encode_frame(head()),
          encode_frame(JournalSend{1, {9000}}),
          encode_frame(record(1)),
          encode_frame(JournalSend{2, {8000}}),
          encode_frame(failed),
          encode_frame(record(4)),
          encode_frame(JournalSend{3, {7000}}),
          encode_frame(record(3))};
}

std::string joined(const std::vector<std::string>& frames, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += frames[i];
  return text;
}

// What opening a file says, to be compared.
struct State {
  bool fresh = false;
  std::optional<JournalEnd> end;
  Records records;
  core::Money settled, orphaned;

  bool operator==(const State&) const = default;
};

State state_of(Opened& opened) {
  REQUIRE(opened.journal);
  const Journal& journal = *opened.journal;
  return {!journal.head(), journal.end(), opened.records, journal.settled(),
          journal.orphaned()};
}

State state_of(const std::string& path, const std::string& text) {
  put(path, text);
  Opened opened = open_journal(path);
  return state_of(opened);
}

// The states after 0, 1, ... frames; none: a new journal.
std::vector<State> states(const std::string& path,
                          const std::vector<std::string>& frames) {
  std::vector<State> all;
  for (size_t count = 0; count <= frames.size(); ++count) {
    all.push_back(state_of(path, joined(frames, count)));
  }
  return all;
}

// An event that the file holds, for the plain account of money below.
struct Event {
  int process = 0;
  bool is_record = false;
  int64_t line = 0;
  std::optional<int64_t> pico;  // hold or cost
  size_t size = 0;              // of its frame
};

// A hold counts unless the same process then recorded what the line cost.
int64_t money_spent(const std::vector<Event>& events) {
  int64_t sum = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    const Event& event = events[i];
    if (event.is_record) {
      sum += event.pico.value_or(0);
      continue;
    }
    const auto recorded = std::find_if(
        events.begin() + static_cast<ptrdiff_t>(i), events.end(),
        [&](const Event& later) {
          return later.is_record && later.process == event.process &&
                 later.line == event.line;
        });
    const bool known = recorded != events.end() && recorded->pico.has_value();
    if (!known) sum += *event.pico;
  }
  return sum;
}

class Schedule {
 public:
  Schedule(std::string path, uint64_t seed)
      : path_(std::move(path)), random_(seed) {}

  void run() {
    ::unlink(path_.c_str());
    for (process_ = 0; process_ < 3; ++process_) {
      JournalOptions options = unsynced();
      options.retry_errors = below(4) == 0;
      Opened opened = open_journal(path_, options);
      REQUIRE(opened.journal);
      check(opened, options.retry_errors);
      if (!opened.journal->head()) REQUIRE(opened.journal->begin(head()));
      for (size_t i = below(6); i > 0; --i) step(*opened.journal);
      opened.journal.reset();
      kill();
    }
  }

 private:
  size_t below(size_t bound) { return random_() % bound; }

  void step(Journal& journal) {
    Event event{process_, below(2) == 0, static_cast<int64_t>(1 + below(4)),
                static_cast<int64_t>(below(1000)), 0};
    if (!event.is_record) {
      const JournalSend send{event.line, {*event.pico}};
      REQUIRE(journal.append(send));
      event.size = encode_frame(send).size();
    } else {
      if (below(5) == 0) event.pico.reset();
      JournalRecord made = record(event.line, below(3) != 0);
      made.cost =
          event.pico ? std::optional(core::Money{*event.pico}) : std::nullopt;
      made.ms = static_cast<int64_t>(random_() >> 1);
      REQUIRE(journal.append(made));
      made.orphaned = journal.find(event.line)->value().orphaned;
      event.size = encode_frame(made).size();
      results_.push_back(made);
    }
    events_.push_back(event);
  }

  // The last frames are lost, as when power is, and of one a part remains.
  void kill() {
    if (below(3) == 0) return;
    size_t lost = std::min(below(3), events_.size());
    size_t size = encode_frame(head()).size(), last = 0;
    for (const Event& event : events_) size += event.size;
    for (; lost > 0; --lost) {
      last = events_.back().size;
      size -= last;
      if (events_.back().is_record) results_.pop_back();
      events_.pop_back();
    }
    if (last > 0) size += below(last);
    REQUIRE(::truncate(path_.c_str(), static_cast<off_t>(size)) == 0);
  }

  void check(Opened& opened, bool retry_errors) {
    Records expected;
    for (const JournalRecord& made : results_) {
      if (made.ok || !retry_errors) expected.insert_or_assign(made.line, made);
    }
    CHECK(opened.records == expected);
    const core::Money spent =
        opened.journal->settled() + opened.journal->orphaned();
    CHECK(spent.pico == money_spent(events_));
  }

  std::string path_;
  std::mt19937_64 random_;
  int process_ = 0;
  std::vector<Event> events_;
  std::vector<JournalRecord> results_;
};

}  // namespace

TEST_CASE("a journal cut at any byte is a prefix of its frames") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("j");
  std::vector<std::string> frames = some_frames();
  frames.push_back(encode_frame(JournalEnd{{"ab", 1}, 3, 1, 1, "c0ffee"}));
  const std::vector<State> expected = states(path, frames);
  const std::string text = joined(frames, frames.size());
  size_t whole = 0, next = frames[0].size();
  for (size_t size = 0; size <= text.size(); ++size) {
    if (whole < frames.size() && size == next) {
      ++whole;
      if (whole < frames.size()) next += frames[whole].size();
    }
    CAPTURE(size);
    REQUIRE(state_of(path, text.substr(0, size)) == expected[whole]);
    if (whole > 0) REQUIRE(content(path) == joined(frames, whole));
  }
}

TEST_CASE("any changed byte is told, or costs the last frame") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("j");
  const std::vector<std::string> frames = some_frames();
  const std::vector<State> expected = states(path, frames);
  const std::string text = joined(frames, frames.size());
  const size_t last = text.size() - frames.back().size();
  int cases = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    for (const char by : {'\n', '0', 'f', '"', static_cast<char>(text[at] ^ 1),
                          static_cast<char>(text[at] ^ 0x20),
                          static_cast<char>(text[at] ^ 0x80)}) {
      if (by == text[at]) continue;
      ++cases;
      std::string changed = text;
      changed[at] = by;
      CAPTURE(at);
      CAPTURE(by);
      put(path, changed);
      Opened opened = open_journal(path);
      if (at < last) {
        REQUIRE(opened.error);
        REQUIRE(opened.error->kind == ErrorKind::kData);
        REQUIRE(content(path) == changed);
      } else {
        REQUIRE(state_of(opened) == expected[frames.size() - 1]);
      }
    }
  }
  CHECK(cases >= 10'000);
}

TEST_CASE("G5 G6 after any schedule of kills a journal says what happened") {
  const TemporaryDirectory directory;
  for (uint64_t seed = 1; seed <= 10'000; ++seed) {
    CAPTURE(seed);
    Schedule(directory.file("j"), seed).run();
  }
}

}  // namespace llmroute::batch
