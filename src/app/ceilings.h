// The ceilings that apply to a request.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "core/config.h"
#include "store/scopes.h"

namespace llmroute::app {

using Tags = std::map<std::string, std::string>;

// Those that requests share: of a day, a month or a tag.
std::vector<store::Ceiling> shared_ceilings(const core::Config& config,
                                            const Tags& tags);

// Of a budget, whatever the tags of a request.
std::vector<store::Ceiling> ceilings_of(const core::Budget& budget);

// They are kept by the ledger, which is off: kUsage.
base::Error ledger_is_off();

struct LeastCeiling {
  core::Money limit;
  std::string name;
};

// The one, shared or its own, that allows a request the least.
std::optional<LeastCeiling> least_ceiling(const core::Config& config,
                                          const Tags& tags);

// The first of the fields sent as they are (-O, a record's body) that is not
// known to leave the bound of what an answer may cost as it is; "" where there
// is none. Providers add such fields at any time: those known are listed.
std::string costly_field(
    const std::vector<std::pair<std::string, std::string>>& extra);
// What is said of it. `field`: as the user gave it.
base::Error not_bounded(base::ErrorKind kind, std::string_view field);

// To three digits, for a person to give as a ceiling.
core::Money rounded_up(core::Money money);

}  // namespace llmroute::app
