// Manual pages in the man(7) macros, made from the tables. They carry no date:
// the same tables give the same bytes.
#pragma once

#include <string>

#include "cli/tables.h"

namespace llmroute::cli {

std::string program_page();                       // llmroute(1)
std::string command_page(const CommandRow& row);  // llmroute-NAME(1)
std::string config_page();                        // llmroute.toml(5)
std::string jsonl_page();                         // llmroute-jsonl(5)

}  // namespace llmroute::cli
