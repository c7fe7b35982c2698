// Responses of the gemini protocol.
#include "decoder_fuzz.h"
#include "provider/gemini.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace provider = llmroute::provider;
  provider::check_decoder<provider::GeminiDecoder>(data, size);
  return 0;
}
