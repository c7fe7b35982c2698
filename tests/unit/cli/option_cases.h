// What each option of the table sets, a case a row.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/settings.h"
#include "cli/tables.h"

namespace llmroute::cli {

using Words = std::vector<std::string>;

struct OptionCase {
  std::string option;  // its spelling
  Command command;
  Words words;
  std::function<bool(const Settings&)> holds;
};

// Of `batch` alone, and all others.
std::vector<OptionCase> batch_option_cases();
std::vector<OptionCase> prompt_option_cases();

}  // namespace llmroute::cli
