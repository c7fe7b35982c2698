// Gemini's generateContent, of Google AI Studio and of Vertex AI.
// Wire format: docs/providers.md.
#pragma once

#include "provider/call.h"
#include "provider/decoder.h"
#include "provider/transport.h"

namespace llmroute::provider {

HttpRequest gemini_request(const Call& call);

class GeminiDecoder : public Decoder {
 public:
  Framing framing() const override { return Framing::kEvents; }
  void on_event(const Json& event, bool unterminated, Answer& answer) override;
  void on_done(Answer&) override {}
  // One chunk, or the list of all chunks of a stream without alt=sse.
  void on_document(const Json& document, Answer& answer) override;

 private:
  static void take_usage(const Json& usage, Answer& answer);
  static void take_parts(const Json& parts, Answer& answer);
  static void take_call(const Json& call, Answer& answer);
  static void take_finish(std::string_view reason, Answer& answer);
};

}  // namespace llmroute::provider
