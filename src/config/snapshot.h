// What a configuration says of routing, as documents that the ledger keeps: the
// built-in registry by itself, since it is large and rarely changes, and what
// others set over it. No keys, commands, headers or files of keys.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "core/config.h"

namespace llmroute::config {

// SHA-256 of the built-in tables, in hexadecimal.
std::string_view registry_hash();

std::string registry_snapshot();
std::string routing_snapshot(const core::Config& config);

// Both together: a configuration that decides as the one that they are of.
// kConfig if they make no sense.
base::Result<core::Config> read_snapshots(std::string_view registry,
                                          std::string_view routing);

}  // namespace llmroute::config
