// The limits of read.h, checked on the text itself in one pass without
// recursion.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace llmroute::config {

base::Status scan_toml(std::string_view text, const std::string& file);

}  // namespace llmroute::config
