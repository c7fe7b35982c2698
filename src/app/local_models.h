// Which models a local Ollama serves. run asks each Ollama provider on loopback
// for its list (at most 300 ms, or longer where this process waits for the
// processor) and remembers the answer in the cache directory for a minute;
// explain contacts nothing and goes by what was remembered. A server that did
// not answer is left alone for 5 s, doubling to 300 s.
#pragma once

#include <map>
#include <string>

#include "app/route.h"
#include "base/environment.h"
#include "core/config.h"

namespace llmroute::app {

// Adds served models that the config does not list (price 0; abilities of the
// registry's entry with the same name and size, else from the parameter count)
// and returns what is unavailable and why: provider -> "not running", model ->
// "not pulled". Never fails: a cache that cannot be read or written is as if
// absent.
std::map<std::string, std::string> find_local_models(
    Asker asker, const base::Environment& environment, core::Config& config);

// A call of `provider` was refused: the next runs leave it alone for a while.
void remember_refused(const core::Provider& provider,
                      const base::Environment& environment);

}  // namespace llmroute::app
