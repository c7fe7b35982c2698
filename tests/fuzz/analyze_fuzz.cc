// A prompt from outside: any bytes, split anywhere into context and
// instruction. All kernels must agree with the scanner that goes byte by byte.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "../unit/analyzer/gather_oracle.h"
#include "analyzer/analyzer.h"
#include "analyzer/model_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto analyzer = llmroute::analyzer::Analyzer::embedded();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t cut = size == 0 ? 0 : data[0] % (size + 1);
  const llmroute::analyzer::Input input{text.substr(cut), text.substr(0, cut)};
  static const auto file = llmroute::analyzer::parse_model(
      llmroute::analyzer::embedded_model(), llmroute::analyzer::Check::kForm);
  for (const auto& kernel : llmroute::analyzer::testing_only_kernels()) {
    if (!gather_oracle::agrees(kernel, file->model, input.instruction,
                               input.context)) {
      std::abort();
    }
  }
  const auto analysis = analyzer.analyze(input);
  if (!(std::fabs(analysis.difficulty) <= 8)) std::abort();
  if (!(analysis.confidence >= 0 && analysis.confidence <= 1)) std::abort();
  for (const auto& contribution : analyzer.explain(input, 20)) {
    if (!std::isfinite(contribution.contribution)) std::abort();
  }
  return 0;
}
