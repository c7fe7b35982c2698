// The script: rules that turn a request into a reply, with faults. README.md is
// the reference of its keys.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "stub/http.h"

namespace llmroute::stub {

constexpr int64_t kOff = -1;  // a number that the rule does not set

enum class Framing { kLength, kChunked, kClose };

struct Usage {
  int64_t input = 0;  // all input tokens, the cached ones included
  int64_t cached = 0;
  int64_t output = 0;  // all output tokens, reasoning included
  int64_t reasoning = 0;
};

struct ToolCall {
  std::string id, name, arguments;
};

struct ErrorText {
  int64_t status = 500;
  std::string message, type, code;  // empty: by status
};

// What a rule answers. A default Reply is the offline model without faults.
// Times are milliseconds, positions in a body are bytes.
struct Reply {
  // What is said.
  std::optional<std::string> dialect;
  std::optional<std::string> text, raw;
  std::optional<std::vector<std::string>> chunks, chunks_raw, frames;
  std::optional<std::string> reasoning, finish, served, wrong_type;
  std::optional<std::string> usage_text;  // JSON, "omit" or "null"
  std::optional<Usage> usage;
  std::vector<ToolCall> tool_calls;
  ErrorText error;
  std::optional<bool> stream;
  int64_t words = kOff;
  bool wrong_id = false, echo_auth = false;

  // The head.
  int64_t status = kOff;
  std::vector<Header> headers;
  std::vector<std::string> dropped_headers;
  std::optional<std::string> raw_head, redirect, retry_after, retry_after_ms;
  std::optional<std::string> content_type, encoded, version;
  std::optional<Framing> framing;
  std::vector<int64_t> interim;
  int64_t huge_header = kOff, many_headers = kOff;
  int64_t length_long = kOff, length_short = kOff;
  bool both_lengths = false;

  // Odd streams. `at`: after so many deltas.
  int64_t at = 1;
  int64_t error_event_after = kOff, deep_json = kOff, huge_line = kOff;
  int64_t endless = kOff, comments_only = kOff;
  bool no_terminal = false, no_finish = false, no_done = false;
  bool dup_start = false, dup_terminal = false, unknown_events = false;
  bool bad_json = false, bad_utf8 = false, nul = false, bom = false;
  std::optional<std::string> eol, bad_chunk;

  // Time.
  int64_t delay_headers_ms = 0, delay_first_ms = 0, delay_chunk_ms = kOff;
  double delay_noise = 0;  // sigma of a log-normal factor on the delays
  int64_t trickle = kOff, trickle_header = kOff;
  int64_t hang_after = kOff;
  bool hang_accept = false, hang_header = false, after_terminal_hang = false;

  // The connection.
  int64_t chunk = kOff;  // bytes in a write; 0: 1 to 16 by seed
  int64_t seed = kOff;
  int64_t cut_header = kOff, cut_after = kOff, end_after = kOff;
  int64_t rst_after = kOff, close_idle = kOff;
  bool rst_accept = false, cut_accept = false, tls_cut = false;

  // Decided before a request is read, so no condition but nth and times holds.
  bool at_accept() const { return hang_accept || rst_accept || cut_accept; }
};

struct Rule {
  int line = 0;
  std::optional<std::string> method, path, model, header, body;
  std::optional<bool> stream;
  int64_t nth = kOff;
  int64_t times = kOff;
  double chance = 1;
  Reply reply;
  int64_t seen = 0, used = 0;
};

// What a rule may look at.
struct Facts {
  const Request& request;
  std::string_view model;
  bool stream = false;
  uint64_t random = 0;
};

// One line of a script. An unknown key or a wrong type is an error.
base::Result<Rule> parse_rule(std::string_view json, int line);

// 64 well-mixed bits (SplitMix64).
uint64_t mix(uint64_t seed, uint64_t number);
// In [0, 1).
double unit_of(uint64_t bits);

// Thread-safe.
class Script {
 public:
  // Rules in file order; blank lines and lines starting with '#' are skipped.
  static base::Result<std::vector<Rule>> parse(std::string_view text);
  explicit Script(std::vector<Rule> rules) : rules_(std::move(rules)) {}

  // The first rule that applies and is not used up; null: the offline model.
  // The rule's reply stays where it is.
  const Rule* match(const Facts& facts);
  const Rule* match_accept();

 private:
  std::mutex mutex_;
  std::vector<Rule> rules_;
};

}  // namespace llmroute::stub
