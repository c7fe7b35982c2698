#include "app/kept_inputs.h"

#include <fmt/format.h>

#include "base/sha256.h"
#include "config/snapshot.h"

namespace llmroute::app {
namespace {

using base::Result;

base::Error altered(const std::string& hash) {
  return {base::ErrorKind::kData,
          fmt::format("snapshot '{}' has been altered", hash)};
}

std::string short_hash(std::string_view text) {
  return base::hex(base::fingerprint(text));
}

}  // namespace

Result<std::string> keep_shared_inputs(store::Ledger& ledger,
                                       const core::Config& config,
                                       const std::string& router_model,
                                       const Circumstances& around) {
  const std::string snapshot = snapshot_text(config);
  SharedInputs shared;
  shared.config = base::hex(base::sha256(snapshot));
  shared.router_model = router_model;
  for (const auto& [name, why] : around.missing_keys) {
    shared.missing_keys.push_back(name);
  }
  shared.unavailable = around.unavailable;
  LLMROUTE_CHECK(ledger.keep(std::string(config::registry_hash()), "registry",
                             config::registry_snapshot));
  LLMROUTE_CHECK(
      ledger.keep(shared.config, "config", [&] { return snapshot; }));
  const std::string text = shared_inputs_json(shared);
  std::string hash = short_hash(text);
  LLMROUTE_CHECK(ledger.keep(hash, "shared_inputs", [&] { return text; }));
  return hash;
}

Result<const core::Config*> KeptInputsReader::config(const std::string& hash) {
  const auto known = configs_.find(hash);
  if (known != configs_.end()) return known->second.get();
  LLMROUTE_TRY(const std::string text, ledger_.snapshot(hash));
  if (base::hex(base::sha256(text)) != hash) return altered(hash);
  LLMROUTE_TRY(const std::string registry, ledger_.snapshot(registry_of(text)));
  LLMROUTE_TRY(core::Config config, config::read_snapshots(registry, text));
  return (configs_[hash] = std::make_unique<core::Config>(std::move(config)))
      .get();
}

Result<KeptInputs> KeptInputsReader::find(const std::string& hash) {
  const auto known = read_.find(hash);
  if (known != read_.end()) return known->second;
  LLMROUTE_TRY(const std::string text, ledger_.snapshot(hash));
  if (short_hash(text) != hash) return altered(hash);
  KeptInputs found;
  LLMROUTE_TRY(found.shared, read_shared_inputs(text));
  LLMROUTE_TRY(found.config, config(found.shared.config));
  return read_[hash] = std::move(found);
}

}  // namespace llmroute::app
