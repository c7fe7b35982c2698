#include "app/router_model.h"

namespace llmroute::app {

base::Result<analyzer::Analyzer> router_model(const core::Config& config) {
  if (config.router_model_file.empty()) return analyzer::Analyzer::embedded();
  return analyzer::Analyzer::load(config.router_model_file);
}

}  // namespace llmroute::app
