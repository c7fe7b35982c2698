// A provider's wire format: what a request asks, and how an answer is written.
// Facts: platform.openai.com/docs/api-reference/chat,
// docs.anthropic.com/en/api/messages-streaming,
// ai.google.dev/api/generate-content,
// github.com/ollama/ollama/blob/main/docs/api.md.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "stub/http.h"
#include "stub/script.h"

namespace llmroute::stub {

// What a chat request asks for.
struct Ask {
  std::string model;
  std::string prompt;      // text of the last user message
  int64_t text_bytes = 0;  // of all messages and the system text
  std::optional<int64_t> max_tokens;
  bool stream = false;
  bool include_usage = false;
  std::string refused;  // why it is a 400; empty: it is not
};

// A piece of the answer's text as it stands between the quotes of a JSON
// string; it need not be valid.
struct Delta {
  std::string inner;
  int64_t bytes = 0;  // of text
};
Delta delta_of(std::string_view text);

enum class UsageForm { kCounted, kOmitted, kText };

struct Answer {
  std::string id, model;
  std::string reasoning;
  std::vector<Delta> deltas;
  std::vector<ToolCall> tool_calls;
  std::string finish = "stop";  // stop, length, tool, filter, refusal; another
                                // word is sent as it is
  Usage usage;
  UsageForm usage_form = UsageForm::kCounted;
  std::string usage_text;  // kText: in place of the usage object
  bool include_usage = true;

  std::string text_literal() const;  // all deltas as one JSON string
};

enum class EventKind { kStart, kDelta, kFinish, kUsage, kDone };

struct Event {
  EventKind kind;
  std::string bytes;
  int64_t text_bytes = 0;
};

class Dialect {
 public:
  virtual ~Dialect() = default;
  virtual Ask read(const Request& request) const = 0;
  virtual std::string whole(const Answer& answer) const = 0;
  virtual std::vector<Event> stream(const Answer& answer) const = 0;
  virtual std::string error(const ErrorText& error) const = 0;
  virtual std::string error_event(const ErrorText& error) const = 0;
  virtual std::string unknown_event() const = 0;
  virtual std::string keep_alive() const = 0;
  // One event that holds `data`.
  virtual std::string frame(std::string_view data) const = 0;
  // What stands before the data of a line.
  virtual std::string_view line_start() const = 0;
  virtual std::string_view stream_type() const = 0;
  virtual std::string_view request_id_header() const = 0;
};

const Dialect& openai();
const Dialect& anthropic();
const Dialect& gemini();
const Dialect& ollama();
const Dialect& responses();

// By name ("openai", "responses", "anthropic", "gemini", "ollama"), or by
// method and path; null: none.
const Dialect* dialect_named(std::string_view name);
const Dialect* dialect_for(const Request& request);

// The shared parts of reading a request. `gather` adds text and, for a user
// message, the prompt.
std::string text_of(simdjson::dom::element content);
void gather(Ask& ask, simdjson::dom::element body);

// A word of `words` by the dialect's own table, else the word itself.
struct FinishWord {
  std::string_view ours, theirs;
};
std::string_view finish_word(const Answer& answer,
                             std::initializer_list<FinishWord> words);

// The default type, code and message of an HTTP status.
struct ErrorRow {
  int64_t status;
  std::string_view openai_type, openai_code, anthropic_type;
};
const ErrorRow& error_row(int64_t status);
std::string error_message(const ErrorText& error);

// Fragments of a tool call's arguments, as models stream them.
std::vector<std::string_view> fragments(std::string_view arguments);

}  // namespace llmroute::stub
