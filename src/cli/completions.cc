#include "cli/completions.h"

namespace llmroute::cli {

std::string_view complete_kind(Source source) {
  switch (source) {
    case Source::kModels:
      return "models";
    case Source::kRoutes:
      return "routes";
    case Source::kProfiles:
      return "profiles";
    case Source::kTiers:
      return "tiers";
    case Source::kNothing:
    case Source::kFile:
      return {};
  }
  return {};
}

std::string command_names(std::string_view separator) {
  std::string names;
  for (const CommandRow& row : commands()) {
    if (!names.empty()) names += separator;
    names += row.name;
  }
  return names;
}

std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

}  // namespace llmroute::cli
