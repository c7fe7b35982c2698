// TOML text -> Config, in one call; for the registry, tests and tools.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/layer.h"
#include "core/config.h"

namespace llmroute::config {

// Lays one document over `base`.
base::Result<core::Config> read_config(core::Config base, std::string_view text,
                                       const Layer& layer);

}  // namespace llmroute::config
