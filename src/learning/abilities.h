// Known abilities of models, which put the difficulty on the registry's scale:
// without them a fit of outcomes knows differences only.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "core/config.h"
#include "core/domain.h"

namespace llmroute::learning {

// By normalised name: letters and digits of the part after the last '/',
// lower-cased, without a leading "meta".
using Abilities = std::map<std::string, core::PerDomain>;

std::string normalised_model_name(std::string_view name);

// A configuration's models by the normalised forms of their names and ids; of
// several that have the same, the first.
std::map<std::string, const core::Model*> models_by_name(
    const core::Config& config);

// Reads an abilities file: a JSON object whose "models" have "id", "key",
// "aliases" and "abilities" {domain: {"ability": x}}. Anything else: kData.
base::Result<Abilities> read_abilities(const std::string& path);

}  // namespace llmroute::learning
