// Ollama's native chat. Wire format: docs/providers.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "provider/call.h"
#include "provider/decoder.h"
#include "provider/transport.h"

namespace llmroute::provider {

// The context asked for is the model's window, but no more than a step of 32k,
// 64k, 128k ... that holds the prompt and its answer: without any the server
// cuts long prompts silently, and all of a large window may not fit in memory.
HttpRequest ollama_request(const Call& call);

class OllamaDecoder : public Decoder {
 public:
  Framing framing() const override { return Framing::kLines; }
  bool thinks_in_text() const override { return true; }
  void on_event(const Json& event, bool unterminated, Answer& answer) override;
  void on_done(Answer&) override {}
  void on_document(const Json& document, Answer& answer) override;
};

// A model that is on the machine.
struct OllamaModel {
  std::string name;            // "llama3.2:latest"
  std::string parameter_size;  // "3.2B"; empty: not said
  std::optional<int64_t> context_length;
  bool tools = false;  // it says that it can call functions
};

// Asks the server for its models. Not reachable or not Ollama: kTryLater or
// kProtocol. `timeout` bounds the whole of it.
base::Result<std::vector<OllamaModel>> list_ollama_models(
    const core::Provider& provider, std::chrono::milliseconds timeout);
// The same over a given transport, and the reading alone.
base::Result<std::vector<OllamaModel>> list_ollama_models(
    const core::Provider& provider, std::chrono::milliseconds timeout,
    Transport& transport);

}  // namespace llmroute::provider
