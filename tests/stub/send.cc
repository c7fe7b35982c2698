#include "stub/send.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "stub/script.h"

namespace llmroute::stub {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kHang{600};
constexpr uint64_t kWidestChunk = 16;
constexpr std::string_view kEndOfChunks = "0\r\n\r\n";
constexpr int kExtensionBlocks = 4096;  // of 64 KiB

// The first place in the body where a rule ends or stops it.
int64_t body_stop(const Reply& reply) {
  for (const int64_t at :
       {reply.cut_after, reply.rst_after, reply.hang_after}) {
    if (at != kOff) return at;
  }
  return INT64_MAX;
}

class Sender {
 public:
  Sender(Connection& connection, const Plan& plan, const Reply& reply,
         uint64_t seed)
      : connection_(connection),
        plan_(plan),
        reply_(reply),
        seed_(reply.seed == kOff ? seed : static_cast<uint64_t>(reply.seed)),
        stop_at_(body_stop(reply)) {}

  Sent run() {
    if (reply_.hang_header) {
      connection_.sleep(kHang);
    } else if (send_head() && send_body()) {
      finish();
    }
    return sent_;
  }

 private:
  bool send_head() {
    if (!connection_.sleep(microseconds(plan_.delay_us))) return false;
    std::string_view head = plan_.head;
    if (reply_.cut_header != kOff) {
      head = head.substr(0, static_cast<size_t>(reply_.cut_header));
    }
    const bool slow = reply_.trickle_header != kOff;
    const size_t step = slow ? 1 : std::max<size_t>(head.size(), 1);
    for (size_t at = 0; at < head.size(); at += step) {
      if (!connection_.write(head.substr(at, step))) return false;
      sent_.head_bytes += static_cast<int64_t>(step);
      if (slow && !pause(reply_.trickle_header)) return false;
    }
    if (reply_.cut_header == kOff) return true;
    connection_.end(Ending::kClean);
    return false;
  }

  bool pause(int64_t ms) { return connection_.sleep(milliseconds(ms)); }

  bool send_body() {
    if (stop_at_ == 0) return stop();
    for (const Piece& piece : plan_.body) {
      for (int64_t i = 0; i < piece.repeat; ++i) {
        if (!connection_.sleep(microseconds(piece.delay_us))) return false;
        const bool last = &piece == &plan_.body.back() && i + 1 == piece.repeat;
        if (!send_piece(piece, last)) return false;
      }
    }
    return true;
  }

  bool send_piece(const Piece& piece, bool last) {
    std::string_view rest = piece.bytes;
    if (piece.is_delta && !sent_.first_delta_ns) {
      sent_.first_delta_ns = monotonic_ns();
    }
    while (!rest.empty()) {
      const size_t size = next_size(rest.size());
      if (!send_bytes(rest.substr(0, size), last && size == rest.size())) {
        return false;
      }
      rest.remove_prefix(size);
      sent_.body_bytes += static_cast<int64_t>(size);
      if (rest.empty()) sent_.text_bytes += piece.text_bytes;
      if (sent_.body_bytes == stop_at_) return stop();
      if (reply_.trickle != kOff && !pause(reply_.trickle)) return false;
    }
    return true;
  }

  // How many of `rest` bytes go out in one write.
  size_t next_size(size_t rest) {
    uint64_t size = rest;
    if (reply_.trickle != kOff) size = 1;
    if (reply_.chunk > 0) size = static_cast<uint64_t>(reply_.chunk);
    if (reply_.chunk == 0) size = 1 + mix(seed_, writes_) % kWidestChunk;
    const auto room = static_cast<uint64_t>(stop_at_ - sent_.body_bytes);
    return static_cast<size_t>(std::min({size, uint64_t{rest}, room}));
  }

  bool send_bytes(std::string_view bytes, bool last) {
    ++writes_;
    if (plan_.framing != Framing::kChunked) return connection_.write(bytes);
    if (reply_.bad_chunk == "extension") return send_extension();
    const bool bad =
        writes_ == 2 && reply_.bad_chunk && reply_.bad_chunk != "no_last";
    std::string framed = bad ? "zz" : fmt::format("{:x}", bytes.size());
    (framed += "\r\n").append(bytes) += "\r\n";
    // With the last bytes goes the end, so that a client that leaves after the
    // answer's end marker is not taken for one that left early.
    if (last && ends_cleanly()) framed += kEndOfChunks;
    return connection_.write(framed);
  }

  bool send_extension() {
    if (!connection_.write("5;x=")) return false;
    const std::string block(65536, 'x');
    for (int i = 0; i < kExtensionBlocks; ++i) {
      if (!connection_.write(block)) return false;
    }
    return false;
  }

  bool ends_cleanly() const {
    return !reply_.after_terminal_hang && !reply_.bad_chunk &&
           stop_at_ == INT64_MAX;
  }

  // Always false: nothing follows.
  bool stop() {
    if (reply_.cut_after == stop_at_) {
      connection_.end(reply_.tls_cut ? Ending::kCut : Ending::kClean);
    } else if (reply_.rst_after == stop_at_) {
      connection_.end(Ending::kReset);
    } else {
      connection_.sleep(kHang);
    }
    return false;
  }

  void finish() {
    const bool chunked = plan_.framing == Framing::kChunked;
    if (chunked && (plan_.body.empty() || stop_at_ != INT64_MAX) &&
        !reply_.bad_chunk) {
      if (!connection_.write(kEndOfChunks)) return;
    }
    sent_.complete = true;
    if (reply_.after_terminal_hang) connection_.sleep(kHang);
    if (reply_.close_idle != kOff) pause(reply_.close_idle);
    sent_.keep_alive = plan_.keep_alive && !reply_.after_terminal_hang &&
                       reply_.close_idle == kOff && !reply_.bad_chunk &&
                       reply_.length_long == kOff && !reply_.tls_cut &&
                       !reply_.raw_head;
    if (reply_.tls_cut) connection_.end(Ending::kCut);
  }

  Connection& connection_;
  const Plan& plan_;
  const Reply& reply_;
  uint64_t seed_;
  int64_t stop_at_;
  uint64_t writes_ = 0;
  Sent sent_;
};

}  // namespace

Sent send_plan(Connection& connection, const Plan& plan, const Reply& reply,
               uint64_t seed) {
  return Sender(connection, plan, reply, seed).run();
}

}  // namespace llmroute::stub
