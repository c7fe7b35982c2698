// Provider keys: where they come from and whether they are there. A key is
// never printed, logged or put on a command line; messages name the source
// only.
#pragma once

#include <string>

#include "base/environment.h"
#include "base/result.h"
#include "core/model.h"

namespace llmroute::config {

// Whether a key is likely to be available, without running a command or reading
// a secret: variable set, file exists, command configured, or none needed.
bool key_present(const core::Provider& provider,
                 const base::Environment& environment);

// What is missing, for a person: "OPENAI_API_KEY is not set".
std::string missing_key_text(const core::Provider& provider);

// The key itself; "" if the provider needs none. Order: key_command, key_file,
// key_env, at the end of which --key-fd stands. Missing, malformed (not
// printable ASCII without blanks, after one trailing newline is removed) or
// unsafe file: kNoPermission.
base::Result<std::string> resolve_key(const core::Provider& provider,
                                      const base::Environment& environment);

}  // namespace llmroute::config
