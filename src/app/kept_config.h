// Configurations as the ledger keeps them.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "core/config.h"
#include "store/ledger.h"

namespace llmroute::app {

// Keeps the configuration and its registry, where they are not kept yet: the
// snapshot's hash.
base::Result<std::string> keep_config(store::Ledger& ledger,
                                      const core::Config& config);

// Reads each once. Borrows the ledger. One thread.
class KeptConfigs {
 public:
  explicit KeptConfigs(store::Ledger& ledger) : ledger_(ledger) {}

  // kNoInput: the snapshot, or that of its registry, is not there. kData: it is
  // not what its name says.
  base::Result<const core::Config*> find(const std::string& hash);

 private:
  base::Result<std::unique_ptr<core::Config>> read(const std::string& hash);

  store::Ledger& ledger_;
  std::map<std::string, std::unique_ptr<core::Config>> read_;
};

}  // namespace llmroute::app
