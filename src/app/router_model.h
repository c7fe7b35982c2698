// The router model that the configuration names, else the built-in one.
#pragma once

#include "analyzer/analyzer.h"
#include "base/result.h"
#include "core/config.h"

namespace llmroute::app {

// Errors as Analyzer::load.
base::Result<analyzer::Analyzer> router_model(const core::Config& config);

}  // namespace llmroute::app
