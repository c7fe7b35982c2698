// Responses of the openai-responses protocol.
#include "decoder_fuzz.h"
#include "provider/openai_responses.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace provider = llmroute::provider;
  provider::check_decoder<provider::OpenAiResponsesDecoder>(data, size);
  return 0;
}
