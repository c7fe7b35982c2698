// Responses of the openai_chat protocol.
#include "decoder_fuzz.h"
#include "provider/openai_chat.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace provider = llmroute::provider;
  provider::check_decoder<provider::OpenAiChatDecoder>(data, size);
  return 0;
}
