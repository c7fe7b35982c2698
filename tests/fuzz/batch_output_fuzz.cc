// Result files of batch queues: each line is a result or says why it is none,
// and what was read is written as a line of JSON.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "batch/batch_output.h"
#include "batch/json_line.h"
#include "batch/record.h"
#include "batch/result_line.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  llmroute::batch::JsonLine json;
  llmroute::batch::BatchOutput output;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const auto fault = read_batch_output(text.substr(0, end), json, output);
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
    if (fault) {
      if (fault->message.empty()) std::abort();
      continue;
    }
    const auto& error = output.result.error;
    if (error && error->code.empty()) std::abort();
    llmroute::batch::Record record;
    record.id = output.custom_id;
    for (const bool responses : {false, true}) {
      record.form = llmroute::batch::Form::kOpenAi;
      record.responses = responses;
      if (json.parse(result_line(record, output.result, {}), 1)) std::abort();
    }
  }
  return 0;
}
