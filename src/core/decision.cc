#include "core/decision.h"

namespace llmroute::core {

std::string_view source_name(Source source) {
  switch (source) {
    case Source::kFlag:
      return "flag";
    case Source::kEnv:
      return "env";
    case Source::kRecord:
      return "record";
    case Source::kRule:
      return "rule";
    case Source::kAnalyzer:
      return "analyzer";
    case Source::kDefault:
      return "default";
  }
  return "";
}

}  // namespace llmroute::core
