// Frames of a batch's journal. One frame is one line:
//
//   8 hex digits   bytes of the payload
//   space
//   8 hex digits   CRC-32C of the payload
//   space
//   payload        a JSON object without LF; its first field, "frame", says
//                  which; all fields are there, in the order of the structs,
//                  but for one that is empty of an R: "earlier"
//   LF
//
//   H  first       what the batch is
//   A  if a cost ceiling applies, before a request is sent: by how much it may
//      raise what its line has cost. The ceiling holds over a kill: what a
//      killed process sent counts. With 0: the run was given up while nobody
//      answered, this line among others
//   R  one per finished record, its output line last, in the same bytes
//   E  last        what was published
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/sha256.h"
#include "batch/output_digest.h"
#include "core/money.h"

namespace llmroute::batch {

inline constexpr int64_t kJournalVersion = 2;
// Of a line with its LF. An answer is at most 16 MiB and an input line too;
// escapes make them longer.
inline constexpr size_t kLargestFrame = size_t{128} << 20;

// Strings are UTF-8; what is not comes back as U+FFFD. Those of a head are
// short: less than 64 KiB together.
struct JournalHead {
  int64_t version = kJournalVersion;
  std::string run_id;
  std::string config;  // fingerprint of what decides the answers
  std::string match;   // "line" or "id"
  std::string form;    // of the output: "native" or "openai"
  // What `config` was made of: name, each once, and a hash of its value.
  std::vector<std::pair<std::string, std::string>> parts;

  bool operator==(const JournalHead&) const = default;
};

struct JournalSend {
  int64_t line = 0;  // 1 .. kMostLines
  core::Money hold;  // 0: the run gave up on the line; below 0: what earlier
                     // frames said, and nothing was charged, is taken back

  bool operator==(const JournalSend&) const = default;
};

// A record's final result. No number is negative.
struct JournalRecord {
  int64_t line = 0;           // 1 .. kMostLines
  base::Fingerprint input{};  // of the input line
  std::string id;
  bool ok = false;
  std::string error_code;  // "" if ok
  std::string model;
  std::string provider;
  std::optional<core::Money> cost;  // of all attempts; nothing if unknown
  bool cost_estimated = false;
  std::optional<core::Money> strongest;  // the same on the strongest model
  std::optional<int64_t> input_tokens;
  std::optional<int64_t> output_tokens;
  int64_t attempts = 0;
  int64_t ms = 0;
  // Of `cost`, what models that were asked before have taken, by name.
  std::map<std::string, core::Money> earlier;
  // What killed processes may have spent on this line; set by the journal.
  core::Money orphaned;
  std::string out;  // the output line: a JSON object, not looked into

  bool operator==(const JournalRecord&) const = default;
};

struct JournalEnd {
  OutputDigest output;
  int64_t ok = 0;  // records
  int64_t failed = 0;
  int64_t status = 0;  // exit status
  std::string input;   // InputDigest of all lines

  bool operator==(const JournalEnd&) const = default;
};

using JournalFrame =
    std::variant<JournalHead, JournalSend, JournalRecord, JournalEnd>;

// The line, with its LF.
std::string encode_frame(const JournalHead& head);
std::string encode_frame(const JournalSend& send);
std::string encode_frame(const JournalRecord& record);
std::string encode_frame(const JournalEnd& end);

// Of a line without its LF; nothing unless all of it is right. Of a head of
// another version only that is read. Thread-safe.
std::optional<JournalFrame> decode_frame(std::string_view line);

// The length of the line with its LF, by the claim of its first 18 bytes;
// nothing if they are none of a frame's or claim more than kLargestFrame.
inline constexpr size_t kFramePrefix = 18;
std::optional<size_t> claimed_length(std::string_view prefix);

// Whether `text`, which holds no LF, is what is left of a head's line if a
// process was killed while it wrote it.
bool is_torn_head(std::string_view text);

}  // namespace llmroute::batch
