// Names of files as their owner knows them.
#pragma once

#include <string>

namespace llmroute::base {

// What `path` leads to, if anything is there; else `path` itself.
std::string resolve_links(const std::string& path);
// The same, and also of what is not there one name, whatever leads to its
// directory.
std::string one_name(const std::string& path);

}  // namespace llmroute::base
