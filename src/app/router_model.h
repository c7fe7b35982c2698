// The router model that the configuration names, else the built-in one.
#pragma once

#include "analyzer/analyzer.h"
#include "base/result.h"
#include "core/config.h"

namespace llmroute::app {

// Errors as Analyzer::load.
base::Result<analyzer::Analyzer> router_model(const core::Config& config);

// A start looks for damage only; these find what was altered on purpose too.
// Errors as Analyzer::load.
base::Status check_model_file(const std::string& path);
base::Status check_router_model(const core::Config& config);

}  // namespace llmroute::app
