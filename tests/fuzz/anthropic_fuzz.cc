// Responses of the anthropic protocol.
#include "decoder_fuzz.h"
#include "provider/anthropic.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace provider = llmroute::provider;
  provider::check_decoder<provider::AnthropicDecoder>(data, size);
  return 0;
}
