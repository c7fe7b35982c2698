// One HTTP exchange with a provider: request, response head, body in whatever
// framing it comes, answer or failure. Knows HTTP, not the protocol.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "provider/call.h"
#include "provider/decoder.h"
#include "provider/event_stream.h"
#include "provider/line_stream.h"
#include "provider/repeated_event.h"
#include "provider/text_joiner.h"
#include "provider/think_filter.h"
#include "provider/transport.h"

namespace llmroute::provider {

// Decodes one response. Text goes to the sink whenever all that has arrived
// is decoded.
class Exchange : public Receiver {
 public:
  Exchange(Decoder& decoder, const TextSink& on_text)
      : decoder_(decoder), on_text_(on_text) {}

  bool on_head(const ResponseHead& head) override;
  bool on_body(std::string_view bytes) override;
  bool on_pause() override { return deliver() && !failed(); }
  bool has_content() const override { return answer_.has_content; }
  bool complete() const override { return answer_.complete; }

  // The transport is done; `failure` is what it said.
  CallResult finish(std::optional<core::Failure> failure);
  // After a failure: the request field that was refused by name; "" if none.
  std::string refused_parameter() const;

 private:
  // What the body is taken for. Until its first byte that is not blank came:
  // kUnknown.
  enum class Body { kUnknown, kError, kEvents, kLines, kDocument };

  bool take_error(std::string_view bytes);
  bool choose_body(std::string_view& bytes);
  bool decode(std::string_view bytes);
  bool fed(Fed result);
  bool on_event(const StreamEvent& event);
  bool on_data(std::string_view data, bool unterminated);
  bool on_json(std::string_view data, bool unterminated);
  void take_json(std::string_view data, bool unterminated);
  void end_body();
  void end_document();
  bool deliver();
  void deliver_rest();
  bool hand_over(std::string_view piece);
  std::string answer_text(std::string piece);
  void check_calls();
  bool refuse(std::string_view cause, std::string message);
  bool failed() const { return failure_ || answer_.failed(); }
  bool decided() const { return failed() || answer_.complete; }
  std::optional<core::Failure> final_failure(
      std::optional<core::Failure> transport) const;
  core::Reply reply();

  Decoder& decoder_;
  const TextSink& on_text_;
  ResponseHead head_;
  bool head_seen_ = false;
  Body body_ = Body::kUnknown;
  size_t body_bytes_ = 0;
  std::string held_;  // an error body, or a document
  std::string mark_;  // a byte order mark, until it is known of what
  EventStream events_;
  LineStream lines_;
  RepeatedEvent repeated_;
  TextJoiner joiner_;
  ThinkFilter think_filter_;
  Answer answer_;
  std::string text_;    // all that was delivered
  bool begun_ = false;  // the sink was told of something
  bool repaired_ = false;
  bool sink_closed_ = false;  // nothing more goes there
  std::optional<core::Failure> failure_;
};

}  // namespace llmroute::provider
