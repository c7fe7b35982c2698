// Anthropic Messages. Wire format: docs/providers.md.
#pragma once

#include "provider/call.h"
#include "provider/decoder.h"
#include "provider/transport.h"

namespace llmroute::provider {

HttpRequest anthropic_request(const Call& call);

class AnthropicDecoder : public Decoder {
 public:
  Framing framing() const override { return Framing::kEvents; }
  void on_event(const Json& event, bool unterminated, Answer& answer) override;
  void on_done(Answer&) override {}
  void on_document(const Json& document, Answer& answer) override;

 private:
  void start(const Json& message, Answer& answer);
  void take_usage(const Json& usage, Answer& answer);
  static void take_block(const Json& block, int64_t place, Answer& answer);
  static void take_delta(const Json& event, Answer& answer);
  static void take_stop_reason(const Json& holder, Answer& answer);

  bool started_ = false;
  // As reported; input excludes the other two.
  int64_t input_ = 0, cache_write_ = 0, cache_read_ = 0;
};

}  // namespace llmroute::provider
