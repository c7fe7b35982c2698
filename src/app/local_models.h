// Which models a local Ollama serves. run asks each Ollama provider on loopback
// for its list (at most 300 ms) and remembers the answer in the cache
// directory; explain goes by what was remembered. A server that did not answer
// is left alone for a while: 5 s, doubling to 300 s.
#pragma once

#include <map>
#include <string>

#include "app/route.h"
#include "base/environment.h"
#include "core/config.h"

namespace llmroute::app {

// Adds served models that the config does not list (abilities from the
// registry's entry of the same family, else from the parameter count; price 0)
// and returns what is unavailable and why: provider -> "not running", model ->
// "not pulled". Never fails: a cache that cannot be read or written is as if
// absent.
std::map<std::string, std::string> find_local_models(
    Asker asker, bool offline, const base::Environment& environment,
    core::Config& config);

}  // namespace llmroute::app
