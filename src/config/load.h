// Configuration: which files are read, in what order, and what they say.
//
// Layers, weakest first: built-in registry, system config, user config (or -c
// FILE instead of both), environment (scalars only), options. Nothing is read
// from the current directory unless named by -c.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/environment.h"
#include "base/result.h"
#include "core/config.h"

namespace llmroute::config {

struct Sources {
  std::optional<std::string> file;  // -c or LLMROUTE_CONFIG
  bool no_config = false;
};

// Errors: kConfig with "file:line:column: what (did you mean ...?)";
// kNoPermission for unsafe owner or mode; kConfig if a named file cannot be
// read.
base::Result<core::Config> load(const Sources& sources,
                                const base::Environment& environment);

// The built-in layer alone: models/registry.toml as compiled in.
core::Config builtin();

// Every place that is looked at, strongest first, with whether it exists.
struct Place {
  std::string path;
  bool exists = false;
};
std::vector<Place> places(const base::Environment& environment);

}  // namespace llmroute::config
