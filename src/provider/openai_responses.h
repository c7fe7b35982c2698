// OpenAI Responses. Wire format: docs/providers.md.
#pragma once

#include <map>
#include <string>

#include "provider/call.h"
#include "provider/decoder.h"
#include "provider/transport.h"

namespace llmroute::provider {

HttpRequest openai_responses_request(const Call& call);

class OpenAiResponsesDecoder : public Decoder {
 public:
  Framing framing() const override { return Framing::kEvents; }
  void on_event(const Json& event, bool unterminated, Answer& answer) override;
  void on_done(Answer&) override {}
  void on_document(const Json& document, Answer& answer) override;

 private:
  // The end of a stream, or a document.
  void take_response(const Json& response, Answer& answer);
  void take_output(const Json& output, Answer& answer);
  void take_call(const Json& item, Answer& answer);
  core::ToolCall& call_of(std::string_view item, Answer& answer);
  void take_part(const Json& part, Answer& answer);

  bool started_ = false;
  bool streamed_ = false;  // text has come in deltas
  bool refused_ = false;
  std::map<std::string, size_t> places_;  // of calls, by item
};

}  // namespace llmroute::provider
