// What decisions share, as the ledger keeps it: once, under its hash.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "app/decider.h"
#include "app/retake.h"
#include "base/result.h"
#include "core/config.h"
#include "store/ledger.h"

namespace llmroute::app {

// Keeps it with the configuration and its registry, where they are not kept
// yet: the hash. `router_model`: SHA-256 of its file.
base::Result<std::string> keep_shared_inputs(store::Ledger& ledger,
                                             const core::Config& config,
                                             const std::string& router_model,
                                             const Circumstances& around);

struct KeptInputs {
  SharedInputs shared;
  const core::Config* config = nullptr;
};

// Reads each once. Borrows the ledger. One thread.
class KeptInputsReader {
 public:
  explicit KeptInputsReader(store::Ledger& ledger) : ledger_(ledger) {}

  // Valid as long as the reader. kNoInput: a snapshot that it takes is not
  // there. kData: one is not what its name says.
  base::Result<KeptInputs> find(const std::string& hash);

 private:
  base::Result<const core::Config*> config(const std::string& hash);

  store::Ledger& ledger_;
  std::map<std::string, KeptInputs> read_;
  std::map<std::string, std::unique_ptr<core::Config>> configs_;
};

}  // namespace llmroute::app
