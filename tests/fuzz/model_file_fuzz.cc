// A model file from outside: whatever the bytes, it is refused or it works.
// The checksum is skipped, or nothing else would be reached.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "analyzer/features.h"
#include "analyzer/heads.h"
#include "analyzer/model_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace analyzer = llmroute::analyzer;
  const std::vector<char> bytes(data, data + size);  // aligned, exact length
  const std::string_view view(bytes.data(), bytes.size());
  (void)analyzer::parse_model(view, analyzer::Check::kWhole);
  const auto file = analyzer::parse_model(view, analyzer::Check::kForm);
  if (!file) return 0;
  constexpr std::string_view kText = "What is 12 + 30? Prove it, \xe6\x97\xa5.";
  const analyzer::Window window = analyzer::choose_window(kText, {});
  analyzer::Surface surface;
  const analyzer::Evidence evidence =
      analyzer::gather(file->model, window, surface);
  const auto analysis = analyzer::judge(file->model, evidence);
  if (!(std::fabs(analysis.difficulty) <= 8)) std::abort();
  double sum = 0;
  for (const double p : analysis.domain) sum += p;
  if (!(std::fabs(sum - 1) < 1e-6)) std::abort();
  return 0;
}
