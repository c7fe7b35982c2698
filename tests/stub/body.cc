#include "stub/body.h"

#include <algorithm>

namespace llmroute::stub {
namespace {

constexpr int64_t kBlock = 65536;
constexpr int64_t kManyComments = 1'000'000;

int64_t blocks(int64_t bytes) { return (bytes + kBlock - 1) / kBlock; }

Piece plain(std::string bytes) { return {std::move(bytes)}; }

// The event of a delta that holds 64 KiB of text.
Piece endless_delta(const Dialect& dialect, Answer answer, int64_t bytes) {
  answer.deltas = {delta_of(std::string(kBlock, 'a'))};
  answer.reasoning.clear();
  answer.tool_calls.clear();
  for (Event& event : dialect.stream(answer)) {
    if (event.kind != EventKind::kDelta) continue;
    return {std::move(event.bytes), blocks(bytes), 0, kBlock, true};
  }
  return {};
}

// What a rule puts into a stream after `at` deltas.
void add_odd_events(std::vector<Piece>& body, const Dialect& dialect,
                    const Answer& answer, const Reply& reply) {
  const std::string start(dialect.line_start());
  if (reply.unknown_events) body.push_back(plain(dialect.unknown_event()));
  if (reply.bad_json) body.push_back(plain(dialect.frame(R"({"choices":[{)")));
  if (reply.deep_json != kOff) {
    const auto depth = static_cast<size_t>(reply.deep_json);
    body.push_back(plain(dialect.frame(std::string(depth, '['))));
  }
  if (reply.huge_line != kOff) {
    body.push_back(plain(start + R"({"pad":")"));
    body.push_back({std::string(kBlock, 'a'), blocks(reply.huge_line)});
    body.push_back(plain("\"}\n\n"));
  }
  if (reply.endless != kOff) {
    body.push_back(endless_delta(dialect, answer, reply.endless));
  }
}

class StreamBody {
 public:
  StreamBody(const Dialect& dialect, const Answer& answer, const Reply& reply,
             Pace pace)
      : dialect_(dialect), answer_(answer), reply_(reply), pace_(pace) {}

  std::vector<Piece> build() {
    for (Event& event : dialect_.stream(answer_)) {
      if (!add(event)) break;
    }
    return std::move(body_);
  }

 private:
  // False: the rule lets the stream end here.
  bool add(Event& event) {
    if (event.kind != EventKind::kStart) {
      if (deltas_ >= reply_.at || event.kind != EventKind::kDelta) add_odd();
      const bool due = deltas_ >= reply_.error_event_after ||
                       event.kind != EventKind::kDelta;
      if (reply_.error_event_after != kOff && due) {
        body_.push_back(plain(dialect_.error_event(reply_.error)));
        return false;
      }
    }
    if (event.kind == EventKind::kDelta) {
      add_delta(event);
    } else if (event.kind == EventKind::kStart) {
      add_times(event.bytes, reply_.dup_start ? 2 : 1);
    } else if (!dropped(event.kind)) {
      const bool twice = reply_.dup_terminal && event.kind != EventKind::kUsage;
      add_times(event.bytes, twice ? 2 : 1);
    }
    return true;
  }

  void add_odd() {
    if (std::exchange(odd_added_, true)) return;
    add_odd_events(body_, dialect_, answer_, reply_);
  }

  void add_delta(Event& event) {
    const int64_t delay = deltas_ == 0 ? pace_.first_us : pace_.between_us;
    ++deltas_;
    body_.push_back({std::move(event.bytes), 1, delay, event.text_bytes, true});
  }

  void add_times(const std::string& bytes, int times) {
    for (int i = 0; i < times; ++i) body_.push_back(plain(bytes));
  }

  bool dropped(EventKind kind) const {
    if (reply_.no_terminal) return true;
    if (kind == EventKind::kFinish) return reply_.no_finish;
    return kind == EventKind::kDone && reply_.no_done;
  }

  const Dialect& dialect_;
  const Answer& answer_;
  const Reply& reply_;
  Pace pace_;
  std::vector<Piece> body_;
  int64_t deltas_ = 0;
  bool odd_added_ = false;
};

// A CR must not meet an LF that ends the next line: they would be one end.
std::string_view line_end(const std::string& kind, size_t number,
                          bool after_cr) {
  constexpr std::string_view kEnds[] = {"\n", "\r\n", "\r"};
  if (kind == "crlf") return kEnds[1];
  if (kind == "cr") return kEnds[2];
  if (kind != "mixed") return kEnds[0];
  const size_t turn = number % 3;
  return kEnds[after_cr && turn == 0 ? 1 : turn];
}

// JSON text holds no raw line feed, so every one in the body ends a line.
void change_line_ends(std::vector<Piece>& body, const std::string& kind) {
  size_t number = 0;
  for (Piece& piece : body) {
    std::string changed;
    for (const char c : piece.bytes) {
      if (c == '\n') {
        changed += line_end(kind, number++, changed.ends_with('\r'));
      } else {
        changed += c;
      }
    }
    piece.bytes = std::move(changed);
  }
}

// Cuts the body to its first `limit` bytes, its HTTP end staying clean.
void end_early(std::vector<Piece>& body, int64_t limit) {
  for (Piece& piece : body) {
    const auto size = static_cast<int64_t>(piece.bytes.size());
    if (piece.repeat * size > limit) {
      piece.bytes.resize(static_cast<size_t>(std::min(limit, size)));
      piece.repeat = 1;
    }
    limit -= std::min(limit, piece.repeat * size);
  }
  std::erase_if(body, [](const Piece& piece) { return piece.bytes.empty(); });
}

void finish(std::vector<Piece>& body, const Reply& reply) {
  if (reply.eol) change_line_ends(body, *reply.eol);
  if (reply.bom) body.insert(body.begin(), plain("\xEF\xBB\xBF"));
  if (reply.end_after != kOff) end_early(body, reply.end_after);
}

}  // namespace

std::vector<Piece> stream_body(const Dialect& dialect, const Answer& answer,
                               const Reply& reply, Pace pace) {
  std::vector<Piece> body;
  if (reply.comments_only != kOff) {
    body.push_back(
        {dialect.keep_alive(), kManyComments, reply.comments_only * 1000});
  } else if (reply.frames) {
    for (const std::string& frame : *reply.frames) {
      const int64_t delay = body.empty() ? pace.first_us : pace.between_us;
      body.push_back({dialect.frame(frame), 1, delay, 0, true});
    }
  } else {
    body = StreamBody(dialect, answer, reply, pace).build();
  }
  finish(body, reply);
  return body;
}

std::vector<Piece> whole_body(const Dialect& dialect, const Answer& answer,
                              const Reply& reply) {
  std::vector<Piece> body;
  std::string text = dialect.whole(answer);
  if (reply.bad_json || reply.no_terminal) text.pop_back();
  if (reply.deep_json != kOff) {
    text.assign(static_cast<size_t>(reply.deep_json), '[');
  }
  if (reply.endless != kOff || reply.huge_line != kOff) {
    const int64_t size = std::max(reply.endless, reply.huge_line);
    body.push_back({std::string(kBlock, ' '), blocks(size)});
  }
  int64_t bytes = 0;
  for (const Delta& delta : answer.deltas) bytes += delta.bytes;
  body.push_back({std::move(text), 1, 0, bytes, true});
  finish(body, reply);
  return body;
}

}  // namespace llmroute::stub
