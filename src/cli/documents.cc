#include "cli/documents.h"

namespace llmroute::cli {

std::vector<std::string> document_names() { return {}; }

std::optional<std::string> document(std::string_view) { return std::nullopt; }

std::optional<std::string> completion_script(std::string_view) {
  return std::nullopt;
}

}  // namespace llmroute::cli
