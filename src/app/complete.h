// Names for shell completion: offline, without keys, silent.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/environment.h"

namespace llmroute::app {

// Names of `kind` ("models", "routes", "profiles", "tiers", "keys" of the
// config) that begin with `prefix`, sorted. In a list ("a,b") the last name is
// completed. Nothing for an unknown kind or a config that cannot be read.
std::vector<std::string> complete(std::string_view kind,
                                  std::string_view prefix,
                                  const base::Environment& environment);

}  // namespace llmroute::app
