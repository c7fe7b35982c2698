// Decisions of the ledger under another configuration.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "app/kept_inputs.h"
#include "core/config.h"
#include "core/money.h"
#include "routing/router.h"
#include "store/taken.h"

namespace llmroute::app {

struct Rerouting {
  int64_t decisions = 0;
  int64_t compared = 0;    // of them: with known tokens and prices
  core::Money was, would;  // of those: charged then, and the cost now
};

struct WhatIf {
  std::string with;  // file
  int64_t decisions = 0, same = 0, changed = 0;
  // That could not be taken again: a rule reads text that was not kept; what it
  // was made of was not kept; the other configuration has no answer.
  int64_t unknown_text = 0, not_kept = 0, no_answer = 0;
  std::map<std::pair<std::string, std::string>, Rerouting> changes;  // from, to
  Rerouting all;  // that were taken again, also those that stay
};

// Takes them one by one. Borrows everything. One thread.
class WhatIfCollector {
 public:
  WhatIfCollector(const core::Config& other, const routing::Router& router,
                  KeptInputsReader& kept, WhatIf& result)
      : other_(other), router_(router), kept_(kept), result_(result) {}

  void take(const store::TakenDecision& taken);

 private:
  const core::Config& other_;
  const routing::Router& router_;
  KeptInputsReader& kept_;
  WhatIf& result_;
};

std::string what_if_text(const WhatIf& result);
std::string what_if_json(const WhatIf& result);

}  // namespace llmroute::app
