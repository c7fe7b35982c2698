#include "app/router_model.h"

#include "analyzer/model_file.h"

namespace llmroute::app {

base::Result<analyzer::Analyzer> router_model(const core::Config& config) {
  if (config.router_model_file.empty()) return analyzer::Analyzer::embedded();
  return analyzer::Analyzer::load(config.router_model_file);
}

base::Status check_model_file(const std::string& path) {
  const std::string place = "router model '" + path + "'";
  const auto bytes = analyzer::ModelBytes::read(path);
  if (!bytes) return with_context(place, bytes.error());
  const auto file =
      analyzer::parse_model(bytes->view(), analyzer::Check::kWhole);
  if (!file) return with_context(place, file.error());
  return {};
}

base::Status check_router_model(const core::Config& config) {
  if (config.router_model_file.empty()) return {};
  return check_model_file(config.router_model_file);
}

}  // namespace llmroute::app
