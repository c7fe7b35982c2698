// What one key cannot say for itself: references, names used twice, cycles,
// missing and contradicting keys. Also fills in what follows from the rest:
// model ids and the alias provider/id.
#pragma once

#include <set>
#include <string>

#include "base/result.h"
#include "config/origins.h"
#include "core/config.h"

namespace llmroute::config {

// `disabled`: models that were removed by enabled = false.
base::Status validate(core::Config& config, const Origins& origins,
                      const std::set<std::string>& disabled);

}  // namespace llmroute::config
