// Responses of the ollama protocol.
#include "decoder_fuzz.h"
#include "provider/ollama.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace provider = llmroute::provider;
  provider::check_decoder<provider::OllamaDecoder>(data, size);
  return 0;
}
