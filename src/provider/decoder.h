// What a protocol makes of a response: from events or a document to an answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/reply.h"
#include "provider/error_body.h"
#include "provider/tools.h"

namespace llmroute::provider {

// Filled while a response is decoded.
struct Answer {
  std::string text;  // decoded and not yet taken, as json_text.h reads strings
  ToolCalls tool_calls;
  bool has_content = false;  // text, reasoning or a tool call has come
  bool complete = false;     // the end marker: nothing more is wanted
  bool may_end = false;  // a clean end of the response now completes the answer
  core::Finish finish = core::Finish::kStop;
  core::Usage usage;
  std::string served_model;
  std::optional<ErrorFacts> error;  // the provider reports a failure
  std::string nonsense;  // why the reply cannot be what the protocol says

  bool failed() const { return error || !nonsense.empty(); }
};

// One response. Errors in the providers' usual shapes never reach it, nor does
// anything after complete, error or nonsense.
class Decoder {
 public:
  enum class Framing { kEvents, kLines };

  virtual ~Decoder() = default;
  // How the protocol streams.
  virtual Framing framing() const = 0;
  // Whether reasoning may stand in the text, between tags (think_filter.h).
  virtual bool thinks_in_text() const { return false; }
  // One event or line. `unterminated`: the response ended before the event did;
  // only an end marker in it counts.
  virtual void on_event(const Json& event, bool unterminated,
                        Answer& answer) = 0;
  // The event `[DONE]`.
  virtual void on_done(Answer& answer) = 0;
  // A whole reply that was not streamed.
  virtual void on_document(const Json& document, Answer& answer) = 0;
};

}  // namespace llmroute::provider
