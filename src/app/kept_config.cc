#include "app/kept_config.h"

#include <fmt/format.h>

#include "app/retake.h"
#include "base/sha256.h"
#include "config/snapshot.h"

namespace llmroute::app {

using base::Result;

Result<std::string> keep_config(store::Ledger& ledger,
                                const core::Config& config) {
  const std::string text = snapshot_text(config);
  std::string hash = base::hex(base::sha256(text));
  LLMROUTE_CHECK(ledger.keep(std::string(config::registry_hash()), "registry",
                             config::registry_snapshot));
  LLMROUTE_CHECK(ledger.keep(hash, "config", [&] { return text; }));
  return hash;
}

Result<std::unique_ptr<core::Config>> KeptConfigs::read(
    const std::string& hash) {
  LLMROUTE_TRY(const std::string text, ledger_.snapshot(hash));
  if (base::hex(base::sha256(text)) != hash) {
    return base::Error{base::ErrorKind::kData,
                       fmt::format("snapshot '{}' has been altered", hash)};
  }
  LLMROUTE_TRY(const std::string registry, ledger_.snapshot(registry_of(text)));
  LLMROUTE_TRY(core::Config config, config::read_snapshots(registry, text));
  return std::make_unique<core::Config>(std::move(config));
}

Result<const core::Config*> KeptConfigs::find(const std::string& hash) {
  const auto known = read_.find(hash);
  if (known != read_.end()) return known->second.get();
  LLMROUTE_TRY(std::unique_ptr<core::Config> config, read(hash));
  return (read_[hash] = std::move(config)).get();
}

}  // namespace llmroute::app
