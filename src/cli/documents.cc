#include "cli/documents.h"

#include <fmt/core.h>

#include "cli/completions.h"
#include "cli/man.h"
#include "cli/page_text.h"

namespace llmroute::cli {

std::vector<std::string> document_names() {
  std::vector<std::string> names = {"man/llmroute.1"};
  for (const CommandRow& row : commands()) {
    names.push_back(fmt::format("man/llmroute-{}.1", row.name));
  }
  names.insert(names.end(),
               {"man/llmroute.toml.5", "man/llmroute-jsonl.5",
                "completions/llmroute.bash", "completions/_llmroute",
                "completions/llmroute.fish"});
  return names;
}

std::optional<std::string> document(std::string_view name) {
  if (name == "man/llmroute.1") return program_page();
  if (name == "man/llmroute.toml.5") return config_page();
  if (name == "man/llmroute-jsonl.5") return jsonl_page();
  if (name == "completions/llmroute.bash") return bash_completion();
  if (name == "completions/_llmroute") return zsh_completion();
  if (name == "completions/llmroute.fish") return fish_completion();
  for (const CommandRow& row : commands()) {
    if (name == fmt::format("man/llmroute-{}.1", row.name)) {
      return command_page(row);
    }
  }
  return std::nullopt;
}

std::optional<std::string> format_page(std::string_view name) {
  if (name == "toml" || name == "llmroute.toml") {
    return page_text(config_page());
  }
  if (name == "jsonl" || name == "llmroute-jsonl") {
    return page_text(jsonl_page());
  }
  return std::nullopt;
}

std::optional<std::string> completion_script(std::string_view shell) {
  if (shell == "bash") return bash_completion();
  if (shell == "zsh") return zsh_completion();
  if (shell == "fish") return fish_completion();
  return std::nullopt;
}

}  // namespace llmroute::cli
