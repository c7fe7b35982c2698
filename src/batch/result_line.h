// A finished record -> its line of output, without the line's end.
//
// Native:
//   {"id":"row-17","line":17,"text":"...","finish_reason":"stop",
//    "tool_calls":[...],  only of a record with tools
//    "model":{"routed","served","provider"},"route":{"name","source"},
//    "usage":{"input","output"},"cost":{"usd"},"attempts":1,"ms":640,
//    "meta":...,"error":null}
// OpenAI batch, where the body is a chat.completion or, for records of
// /v1/responses, a response:
//   {"id":"batch_req_...","custom_id":"row-17","response":{"status_code":200,
//    "request_id":"...","body":{...}},"error":null,"llmroute":{...}}
//
// An answer that is not whole is an error of code "incomplete" that keeps what
// came: in the native form with its text, in the other with its body, where
// "llmroute" says why under "incomplete".
//
// The same record and result give the same bytes. What is not known is null.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "batch/record.h"
#include "core/money.h"
#include "core/reply.h"

namespace llmroute::batch {

inline constexpr std::string_view kIncomplete = "incomplete";

struct ResultError {
  std::string code;     // RecordError's, or the failure's: "try_later", ...
  std::string message;  // for a person; already redacted
  bool retryable = false;
  int http_status = 0;     // 0: none
  std::string provider;    // empty: none
  bool has_reply = false;  // that will not do, but is shown
};

// What the caller knows of how a record ended. Empty strings: not known.
struct Result {
  core::Reply reply;  // only if has_reply()
  std::optional<ResultError> error;
  std::string routed;               // the model decided for
  std::string provider;             // that answered
  std::string route, source;        // "auto", "analyzer"
  std::optional<core::Money> cost;  // unset: not known, never 0
  bool cost_estimated = false;      // `cost` holds a worst case
  int attempts = 0;
  std::optional<int64_t> ms;  // from sending to the end
  int64_t created = 0;        // seconds since 1970

  bool has_reply() const { return !error || error->has_reply; }
};

struct ResultOptions {
  std::string run_id;        // ids are made from it and the line's number
  std::optional<Form> form;  // unset: as the record
  bool extras = true;        // the "llmroute" key of the OpenAI form
  bool echo = false;         // the input under "input", if it was kept
};

// Of a record that cannot be asked: nothing was sent, so it cost nothing.
// REQUIRES: record.error.
Result unasked(const Record& record);

// Thread-safe.
std::string result_line(const Record& record, const Result& result,
                        const ResultOptions& options);

// A result line of a run, as it is if its record stands at line `to` instead of
// `from`.
std::string moved_line(std::string line, const std::string& run_id,
                       int64_t from, int64_t to);

}  // namespace llmroute::batch
