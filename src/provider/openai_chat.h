// OpenAI chat completions, and every server that speaks them.
// Wire format and what the servers do differently: docs/providers.md.
#pragma once

#include "provider/call.h"
#include "provider/decoder.h"
#include "provider/transport.h"

namespace llmroute::provider {

HttpRequest openai_chat_request(const Call& call);

class OpenAiChatDecoder : public Decoder {
 public:
  // `reported_cost`: usage.cost is what was charged, in USD.
  explicit OpenAiChatDecoder(bool reported_cost = false)
      : reported_cost_(reported_cost) {}

  Framing framing() const override { return Framing::kEvents; }
  bool thinks_in_text() const override { return true; }
  void on_event(const Json& event, bool unterminated, Answer& answer) override;
  void on_done(Answer& answer) override;
  void on_document(const Json& document, Answer& answer) override;

 private:
  // Choice 0 of an event or document; null if there is none.
  void take_common(const Json& body, Answer& answer);
  void take_message(const Json& message, Answer& answer);
  void take_finish(const Json& choice, Answer& answer);

  const bool reported_cost_;
  bool choice_seen_ = false;
  bool refused_ = false;
};

// Usage in OpenAI's shape, normalised; counts that contradict each other are
// read the dearest way.
core::Usage openai_usage(const Json& usage);

}  // namespace llmroute::provider
