// What is suspicious in a configuration that is not wrong.
#pragma once

#include <string>
#include <vector>

#include "base/environment.h"
#include "core/config.h"

namespace llmroute::app {

// One line each, for `config check`: tiers that nothing reaches, routes without
// models, keys that routes need and do not have, unpriced models.
std::vector<std::string> config_warnings(const core::Config& config,
                                         const base::Environment& environment);

}  // namespace llmroute::app
