// A prompt from outside: any bytes, split anywhere into context and
// instruction.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "analyzer/analyzer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto analyzer = llmroute::analyzer::Analyzer::embedded();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t cut = size == 0 ? 0 : data[0] % (size + 1);
  const llmroute::analyzer::Input input{text.substr(cut), text.substr(0, cut)};
  const auto analysis = analyzer.analyze(input);
  if (!(std::fabs(analysis.difficulty) <= 8)) std::abort();
  if (!(analysis.confidence >= 0 && analysis.confidence <= 1)) std::abort();
  for (const auto& contribution : analyzer.explain(input, 20)) {
    if (!std::isfinite(contribution.contribution)) std::abort();
  }
  return 0;
}
