#include "config/snapshot.h"

#include "config/load.h"
#include "config/read_config.h"
#include "config/write.h"

namespace llmroute::config {

std::string registry_snapshot() { return toml_document(builtin(), false); }

std::string routing_snapshot(const core::Config& config) {
  return routing_document(config);
}

base::Result<core::Config> read_snapshots(std::string_view registry,
                                          std::string_view routing) {
  LLMROUTE_TRY(core::Config config,
               read_config({}, registry, {.file = "registry"}));
  for (core::Provider& provider : config.providers) {
    provider.origin = "built-in";
  }
  for (core::Model& model : config.models) model.origin = "built-in";
  return read_config(std::move(config), routing, {.file = "snapshot"});
}

}  // namespace llmroute::config
