// What llmroute-jsonl(5) says of records, results, manifest and journal. A test
// compares the fields with those of the code that reads and writes them.
#pragma once

#include <string>

namespace llmroute::cli {

// The sections from DESCRIPTION to EXAMPLES, as roff.
std::string jsonl_sections();

}  // namespace llmroute::cli
