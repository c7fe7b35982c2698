// The documents that are generated, committed and installed: manual pages and
// completions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llmroute::cli {

// Paths below the source directory: "man/llmroute.1", "completions/_llmroute".
std::vector<std::string> document_names();

// The text of one of them; nothing for any other name.
std::optional<std::string> document(std::string_view name);

// llmroute.toml(5) for "toml", llmroute-jsonl(5) for "jsonl" as plain text.
std::optional<std::string> format_page(std::string_view name);

// The completions of "bash", "zsh" or "fish".
std::optional<std::string> completion_script(std::string_view shell);

}  // namespace llmroute::cli
